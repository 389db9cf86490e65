package org.tiproxy.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

/** A MySQL client that sends whatever a test wants, also what no driver would. */
public final class RawClient implements AutoCloseable {
    /** What an ordinary client asks for. */
    public static final long CAPABILITIES = Capability.setOf(
            Capability.CLIENT_LONG_PASSWORD,
            Capability.CLIENT_LONG_FLAG,
            Capability.CLIENT_CONNECT_WITH_DB,
            Capability.CLIENT_LOCAL_FILES,
            Capability.CLIENT_PROTOCOL_41,
            Capability.CLIENT_TRANSACTIONS,
            Capability.CLIENT_SECURE_CONNECTION,
            Capability.CLIENT_MULTI_STATEMENTS,
            Capability.CLIENT_MULTI_RESULTS,
            Capability.CLIENT_PS_MULTI_RESULTS,
            Capability.CLIENT_PLUGIN_AUTH,
            Capability.CLIENT_SESSION_TRACK,
            Capability.CLIENT_DEPRECATE_EOF);

    /** Longer than anything takes, and shorter than the patience of a build. */
    private static final int TIMEOUT_MILLIS = 20_000;

    private static final int MAX_FRAGMENT = 0xffffff;
    private static final int BUFFER = 1 << 18;
    private static final byte[] PASSWORD = {'d', 'e', 'm', 'o'};

    private final Socket socket;
    private final InputStream in;
    private @Nullable HandshakeV10 greeting;

    /** One packet of the server. */
    public record Packet(int sequenceId, Bytes payload) {
        /** The first byte, 0 to 255; -1 if there is none. */
        public int header() {
            return payload.isEmpty() ? -1 : payload.at(0) & 0xff;
        }
    }

    /** Connects to 127.0.0.1, and reads nothing. */
    public RawClient(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream(), BUFFER);
    }

    /** Reads the greeting. */
    public RawClient greet() throws IOException {
        Packet packet = expect();
        greeting = HandshakeV10.decode(packet.payload());
        return this;
    }

    /** Logs in as {@code demo}, and reads the OK. */
    public RawClient logIn(long capabilities) throws IOException {
        greet();
        send(1, login(capabilities, "mysql_native_password", reply(greeting().authPluginData())));
        return expectOk();
    }

    /** The greeting that was read. */
    public HandshakeV10 greeting() {
        if (greeting == null) {
            throw new IllegalStateException("the greeting was not read");
        }
        return greeting;
    }

    /** The payload of a login as {@code demo}. */
    public static byte[] login(long capabilities, String plugin, Bytes reply) {
        return new HandshakeResponse41(
                        capabilities,
                        1 << 24,
                        45,
                        Bytes.ofUtf8("demo"),
                        reply,
                        Bytes.ofUtf8("demo"),
                        plugin,
                        ConnectionAttributes.NONE,
                        0)
                .encode()
                .toByteArray();
    }

    /** What proves the password to somebody who has sent this scramble. */
    public static Bytes reply(Bytes scramble) {
        return new MysqlNativePassword().reply(Bytes.of(PASSWORD), scramble);
    }

    /** Sends one packet. A connection that is broken shows when it is read from. */
    public void send(int sequenceId, byte[] payload) {
        sendBytes(new PayloadWriter().bytes(payload).toPacket(sequenceId).array());
    }

    /** Sends bytes as they are. */
    public void sendBytes(byte[]... parts) {
        try {
            for (byte[] part : parts) {
                socket.getOutputStream().write(part);
            }
        } catch (IOException e) {
            // The other side has closed, perhaps after it has said why.
        }
    }

    /** Sends a COM_QUERY. */
    public void query(String sql) {
        send(0, command(Command.COM_QUERY, sql));
    }

    /** The payload of a command that is followed by text. */
    public static byte[] command(Command command, String text) {
        return new PayloadWriter().int1(command.code()).string(text).toByteArray();
    }

    /** Sends a COM_QUERY that is answered with an OK. */
    public RawClient execute(String sql) throws IOException {
        query(sql);
        return expectOk();
    }

    private RawClient expectOk() throws IOException {
        Packet packet = expect();
        if (packet.header() == ErrPacket.HEADER) {
            throw new IOException(ErrPacket.decode(packet.payload()).toString());
        }
        return this;
    }

    /** The next packet; throws if there is none. */
    public Packet expect() throws IOException {
        Packet packet = read();
        if (packet == null) {
            throw new IOException("the server has closed the connection");
        }
        return packet;
    }

    /**
     * The next packet, of less than 16 MiB.
     *
     * @return null if the connection was closed, in order or not
     * @throws SocketTimeoutException if nothing comes
     */
    public @Nullable Packet read() throws IOException {
        try {
            byte[] header = in.readNBytes(4);
            if (header.length < 4) {
                return null;
            }
            int length = length(header);
            byte[] payload = in.readNBytes(length);
            return payload.length < length ? null : new Packet(header[3] & 0xff, Bytes.of(payload));
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            return null;
        }
    }

    /** Reads a packet of any length, and forgets it; returns its length. */
    public long skipPacket() throws IOException {
        long total = 0;
        int length;
        do {
            byte[] header = in.readNBytes(4);
            if (header.length < 4) {
                throw new IOException("the server has closed the connection");
            }
            length = length(header);
            in.skipNBytes(length);
            total += length;
        } while (length == MAX_FRAGMENT);
        return total;
    }

    private static int length(byte[] header) {
        return (header[0] & 0xff) | (header[1] & 0xff) << 8 | (header[2] & 0xff) << 16;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

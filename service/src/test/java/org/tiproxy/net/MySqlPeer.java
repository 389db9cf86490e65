package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Map;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

/** Either end of a MySQL connection, packet by packet. */
final class MySqlPeer {
    private static final long CAPABILITIES = Capability.setOf(
            Capability.CLIENT_LONG_PASSWORD,
            Capability.CLIENT_PROTOCOL_41,
            Capability.CLIENT_TRANSACTIONS,
            Capability.CLIENT_SECURE_CONNECTION,
            Capability.CLIENT_PLUGIN_AUTH,
            Capability.CLIENT_DEPRECATE_EOF);

    final Socket socket;
    private final DataInputStream in;

    MySqlPeer(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream());
    }

    record Packet(int sequenceId, Bytes payload) {
        int first() {
            return payload.at(0) & 0xff;
        }

        ErrPacket err() {
            assertThat(first()).as("the first byte of an ERR").isEqualTo(ErrPacket.HEADER);
            return ErrPacket.decode(payload);
        }
    }

    Packet read() throws IOException {
        byte[] header = new byte[4];
        in.readFully(header);
        byte[] payload = new byte[(header[0] & 0xff) | (header[1] & 0xff) << 8 | (header[2] & 0xff) << 16];
        in.readFully(payload);
        return new Packet(header[3] & 0xff, Bytes.of(payload));
    }

    void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** Whether the peer has ended its output, with nothing more to read. */
    boolean atEnd() throws IOException {
        return in.read() < 0;
    }

    // ---- a server's part

    void greet() throws IOException {
        send(greeting());
    }

    static byte[] greeting() {
        return bytes(
                new HandshakeV10(
                                "8.4.3",
                                11,
                                Bytes.ofUtf8("abcdefghijklmnopqrst"),
                                CAPABILITIES,
                                255,
                                2,
                                "mysql_native_password")
                        .encode(),
                0);
    }

    /** OK with autocommit. */
    void ok(int sequenceId) throws IOException {
        send(Hex.packet(sequenceId, "00 00 00 0200 0000"));
    }

    /** OK with autocommit, in a transaction. */
    void okInTransaction(int sequenceId) throws IOException {
        send(Hex.packet(sequenceId, "00 00 00 0300 0000"));
    }

    // ---- a client's part

    void respond() throws IOException {
        send(response());
    }

    static byte[] response() {
        return bytes(
                new HandshakeResponse41(
                                CAPABILITIES,
                                0x1000000,
                                45,
                                Bytes.ofUtf8("root"),
                                Bytes.ofUtf8("scrambled-20-bytes!!"),
                                Bytes.EMPTY,
                                "mysql_native_password",
                                ConnectionAttributes.of(Map.of()),
                                0)
                        .encode(),
                1);
    }

    static byte[] query(String sql) {
        return bytes(new PayloadWriter().int1(3).string(sql), 0);
    }

    static byte[] ping() {
        return Hex.packet(0, "0e");
    }

    /** The whole login of this client at {@code backend}. */
    void logIn(MySqlPeer backend) throws IOException {
        backend.greet();
        assertThat(read().first()).as("protocol version").isEqualTo(10);
        respond();
        backend.read();
        backend.ok(2);
        assertThat(read().sequenceId()).isEqualTo(2);
    }

    private static byte[] bytes(PayloadWriter payload, int sequenceId) {
        return payload.toPacket(sequenceId).array();
    }
}

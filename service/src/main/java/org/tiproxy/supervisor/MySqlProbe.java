package org.tiproxy.supervisor;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import org.tiproxy.common.HostPort;

/**
 * Ready means: a MySQL server greets. It accepts connections before it can serve them, or another program may listen
 * there, so the greeting is worth waiting for.
 *
 * <p>An ERR packet instead of the greeting ("too many connections", "host is blocked") counts as ready: the server is up
 * and has something to say that clients should hear from the server itself. The exception is "server shutdown in
 * progress" (1053).
 *
 * <p>The server counts each probe that got a greeting as one aborted connect, because nobody logs in: one per start of
 * the child. It does not come near {@code max_connect_errors}, as probes that fail earlier reach no server, and the
 * first client that logs in resets that count.
 */
final class MySqlProbe implements ReadinessProbe {
    private static final int HANDSHAKE_V10 = 0x0a;
    private static final int ERR_PACKET = 0xff;
    private static final int ER_SERVER_SHUTDOWN = 1053;
    private static final int MAX_GREETING = 4096;

    private final HostPort address;

    MySqlProbe(HostPort address) {
        this.address = address;
    }

    @Override
    public Closeable ask(int timeoutMillis) throws IOException {
        Socket socket = TcpProbe.connect(address, timeoutMillis);
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            int length = in.readUnsignedByte() | in.readUnsignedByte() << 8 | in.readUnsignedByte() << 16;
            in.readUnsignedByte(); // sequence id
            if (length < 3 || length > MAX_GREETING) {
                throw new IOException("what answers is no MySQL server (a first packet of " + length + " bytes)");
            }
            // To its end, because unread bytes would turn our close into a reset.
            byte[] payload = in.readNBytes(length);
            if (payload.length < length) {
                throw new IOException("the connection was closed within the greeting");
            }
            int first = payload[0] & 0xff;
            int errno = (payload[1] & 0xff) | (payload[2] & 0xff) << 8;
            if (first == ERR_PACKET && errno == ER_SERVER_SHUTDOWN) {
                throw new IOException("the server is shutting down");
            }
            if (first != HANDSHAKE_V10 && first != ERR_PACKET) {
                throw new IOException("what answers is no MySQL server (protocol version " + first + ")");
            }
            return () -> TcpProbe.closeGently(socket);
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }
}

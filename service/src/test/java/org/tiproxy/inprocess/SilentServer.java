package org.tiproxy.inprocess;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.HostPort;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;

/** A server that greets, and says nothing else. */
final class SilentServer implements AutoCloseable {
    private static final byte[] GREETING = new HandshakeV10(
                    "11.4.5-MariaDB",
                    1,
                    Bytes.ofUtf8("abcdefghijklmnopqrst"),
                    Capability.setOf(Capability.CLIENT_PROTOCOL_41),
                    45,
                    2,
                    "mysql_native_password")
            .encode()
            .toPacket(0)
            .array();

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final DaemonThreads threads = new DaemonThreads("silent-server");
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger bytesRead = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();

    SilentServer() throws IOException {
        threads.newThread(this::acceptAll).start();
    }

    HostPort address() {
        return new HostPort("127.0.0.1", listening.getLocalPort());
    }

    int accepted() {
        return accepted.get();
    }

    int bytesRead() {
        return bytesRead.get();
    }

    /** How many connections their clients have closed. */
    int closed() {
        return closed.get();
    }

    private void acceptAll() {
        try {
            while (true) {
                Socket client = listening.accept();
                accepted.incrementAndGet();
                threads.newThread(() -> serve(client)).start();
            }
        } catch (IOException e) {
            // It was closed.
            return;
        }
    }

    private void serve(Socket client) {
        try (client) {
            client.getOutputStream().write(GREETING);
            InputStream input = client.getInputStream();
            while (input.read() >= 0) {
                bytesRead.incrementAndGet();
            }
        } catch (IOException e) {
            // As good as an end.
            closed.incrementAndGet();
            return;
        }
        closed.incrementAndGet();
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}

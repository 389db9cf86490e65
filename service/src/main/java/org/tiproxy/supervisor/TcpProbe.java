package org.tiproxy.supervisor;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;

/** Ready means: a TCP connection is accepted. */
final class TcpProbe implements ReadinessProbe {
    private static final Logger log = LoggerFactory.getLogger(TcpProbe.class);
    private static final int LINGER_MILLIS = 200;
    private static final int LINGER_BYTES = 65_536;

    private final HostPort address;

    TcpProbe(HostPort address) {
        this.address = address;
    }

    @Override
    public Closeable ask(int timeoutMillis) throws IOException {
        Socket socket = connect(address, timeoutMillis);
        return () -> closeGently(socket);
    }

    /** A connection to {@code address}, with read timeout. */
    static Socket connect(HostPort address, int timeoutMillis) throws IOException {
        InetSocketAddress target = address.resolve();
        if (target.isUnresolved()) {
            throw new UnknownHostException("unknown host " + address.host());
        }
        if (target.getAddress().isAnyLocalAddress()) {
            target = new InetSocketAddress(InetAddress.getLoopbackAddress(), target.getPort());
        }
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(timeoutMillis);
            socket.connect(target, timeoutMillis);
            if (socket.getLocalSocketAddress().equals(socket.getRemoteSocketAddress())) {
                // Nobody listens, and by chance the system gave us the very port that we were to connect to: TCP then
                // connects us with ourselves. Without lingering, so that the port is free again for the child.
                socket.setSoLinger(true, 0);
                throw new ConnectException("Connection refused");
            }
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Says goodbye with a FIN and reads what the other side still says, so that it sees an orderly end instead of a
     * reset. Waits {@value #LINGER_MILLIS} ms at most for a piece of it.
     */
    static void closeGently(Socket socket) {
        try (socket) {
            socket.setSoTimeout(LINGER_MILLIS);
            socket.shutdownOutput();
            InputStream in = socket.getInputStream();
            byte[] rest = new byte[1024];
            for (int total = 0, count = 0; count >= 0 && total < LINGER_BYTES; total += count) {
                count = in.read(rest);
            }
        } catch (IOException e) {
            // It does not want to end: then it will see the reset that we tried to spare it.
            log.debug("A probe connection ended with {}", e.toString());
        }
    }
}

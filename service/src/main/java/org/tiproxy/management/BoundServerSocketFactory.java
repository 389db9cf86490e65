package org.tiproxy.management;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.rmi.server.RMIServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Makes RMI listen on one address instead of on all of them, and remembers the socket.
 *
 * <p>RMI shares a port between objects whose factories are equal, so equality stays identity: two connectors never
 * share.
 */
final class BoundServerSocketFactory implements RMIServerSocketFactory, AutoCloseable {
    private static final int BACKLOG = 50;

    private final InetAddress host;
    private @Nullable ServerSocket socket;

    BoundServerSocketFactory(InetAddress host) {
        this.host = host;
    }

    @Override
    public synchronized ServerSocket createServerSocket(int port) throws IOException {
        if (socket != null) {
            throw new IOException("RMI asked for a second server socket besides " + socket);
        }
        ServerSocket created = new ServerSocket(port, BACKLOG, host);
        socket = created;
        return created;
    }

    /** The bound address; port 0 before RMI asked for the socket. */
    synchronized InetSocketAddress address() {
        return new InetSocketAddress(host, socket == null ? 0 : socket.getLocalPort());
    }

    @Override
    public synchronized void close() {
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new IllegalStateException("Closing a listening socket cannot fail", e);
            }
        }
    }

    @Override
    public String toString() {
        return address().toString();
    }
}

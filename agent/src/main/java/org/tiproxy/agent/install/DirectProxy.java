package org.tiproxy.agent.install;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.pool.PoolConfig;

/** Gives each connection a backend connection of its own, whose bytes are passed on as they are. */
final class DirectProxy implements DriverProxy {
    private final PoolConfig config;
    private final Backends backends;

    private DirectProxy(PoolConfig config, Backends backends) {
        this.config = config;
        this.backends = backends;
    }

    static DirectProxy create(PoolConfig config, Backends backends, PoolListener listener) {
        return new DirectProxy(config, backends);
    }

    @Override
    public DriverConnection open(DriverLogin login) throws IOException {
        List<HostPort> addresses = backends.of(login.address());
        @Nullable IOException failure = null;
        int timeout = (int) (login.timeout().isZero() ? config.connectTimeout() : login.timeout()).toMillis();
        for (HostPort address : addresses) {
            Socket socket = new Socket();
            try {
                socket.setTcpNoDelay(true);
                socket.connect(address.resolve(), timeout);
                return new Connection(socket);
            } catch (IOException e) {
                socket.close();
                failure = e;
            }
        }
        throw failure == null ? new ConnectException("no backend for " + login.address()) : failure;
    }

    private record Connection(Socket socket) implements DriverConnection {
        @Override
        public int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
            socket.setSoTimeout(timeoutMillis);
            return socket.getInputStream().read(target, offset, length);
        }

        @Override
        public int available() {
            try {
                return socket.getInputStream().available();
            } catch (IOException e) {
                return 0;
            }
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            socket.getOutputStream().write(source, offset, length);
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}

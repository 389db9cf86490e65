package org.tiproxy.inprocess;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketImpl;

/** A socket whose streams are a {@link DriverConnection}: as much of one as drivers need for these tests. */
// A close must not wait for a read.
@SuppressWarnings("UnsynchronizedOverridesSynchronized")
final class MemorySocket extends Socket {
    /** Opens what the socket connects to. */
    interface Opener {
        DriverConnection open(InetSocketAddress address, int timeoutMillis) throws IOException;
    }

    private final Opener opener;
    private volatile DriverConnection connection;
    private volatile InetSocketAddress address;
    private volatile int soTimeout;
    private volatile boolean closed;

    MemorySocket(Opener opener) throws SocketException {
        super((SocketImpl) null);
        this.opener = opener;
    }

    @Override
    public void connect(SocketAddress endpoint) throws IOException {
        connect(endpoint, 0);
    }

    @Override
    public void connect(SocketAddress endpoint, int timeout) throws IOException {
        address = (InetSocketAddress) endpoint;
        connection = opener.open(address, timeout);
    }

    @Override
    public InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                return connection.read(target, offset, length, soTimeout);
            }

            @Override
            public int available() {
                return connection.available();
            }

            @Override
            public void close() {
                MemorySocket.this.close();
            }
        };
    }

    @Override
    public OutputStream getOutputStream() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] source, int offset, int length) throws IOException {
                connection.write(source, offset, length);
            }
        };
    }

    @Override
    public void close() {
        closed = true;
        DriverConnection open = connection;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public boolean isConnected() {
        return connection != null;
    }

    @Override
    public void setSoTimeout(int timeout) {
        soTimeout = timeout;
    }

    @Override
    public int getSoTimeout() {
        return soTimeout;
    }

    @Override
    public InetAddress getInetAddress() {
        return address.getAddress();
    }

    @Override
    public int getPort() {
        return address.getPort();
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
        return address;
    }

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public void setKeepAlive(boolean on) {}

    @Override
    public void shutdownOutput() {}

    @Override
    public void shutdownInput() {}

    @Override
    public boolean isInputShutdown() {
        return false;
    }

    @Override
    public boolean isOutputShutdown() {
        return false;
    }
}

package org.tiproxy.agent.socket;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketImpl;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A socket without a file descriptor that remembers its options, and passes them on to a real one once there is one. */
// Nobody who sets an option waits for one who reads.
@SuppressWarnings("UnsynchronizedOverridesSynchronized")
abstract class RecordingSocket extends Socket {
    /** The highest value of the traffic class and the like. */
    private static final int BYTE = 255;

    private static final int LONGEST_LINGER = 65_535;

    private final SocketSettings settings = new SocketSettings();
    private volatile @Nullable Socket real;

    /** Without an implementation: nothing of the system's is taken. */
    RecordingSocket() throws SocketException {
        super((SocketImpl) null);
    }

    final SocketSettings settings() {
        return settings;
    }

    /** The real socket, to which everything goes from now on; null as long as there is none. */
    final @Nullable Socket real() {
        return real;
    }

    final void use(Socket socket) {
        real = socket;
    }

    private void checkOpen() throws SocketException {
        if (isClosed()) {
            throw new SocketException("Socket is closed");
        }
    }

    private <T> void set(SocketOption<T> option, T value) throws SocketException {
        checkOpen();
        Socket socket = real;
        if (socket == null) {
            settings.set(option, value);
            return;
        }
        try {
            socket.setOption(option, value);
        } catch (SocketException e) {
            throw e;
        } catch (IOException e) {
            SocketException failure = new SocketException(e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }

    private static void require(boolean valid, String message) {
        if (!valid) {
            throw new IllegalArgumentException(message);
        }
    }

    @Override
    @CanIgnoreReturnValue
    public <T> Socket setOption(SocketOption<T> name, T value) throws IOException {
        checkOpen();
        Socket socket = real;
        if (socket != null) {
            socket.setOption(name, value);
        } else {
            settings.set(name, value);
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        checkOpen();
        Socket socket = real;
        if (socket != null) {
            return socket.getOption(name);
        }
        Object value = settings.get(name);
        if (value == null) {
            throw new UnsupportedOperationException("'" + name.name() + "' not supported before it was set");
        }
        return name.type().cast(value);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        Socket socket = real;
        return socket != null ? socket.supportedOptions() : settings.supported();
    }

    @Override
    public void setTcpNoDelay(boolean on) throws SocketException {
        set(StandardSocketOptions.TCP_NODELAY, on);
    }

    @Override
    public boolean getTcpNoDelay() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getTcpNoDelay() : settings.flag(StandardSocketOptions.TCP_NODELAY);
    }

    @Override
    public void setKeepAlive(boolean on) throws SocketException {
        set(StandardSocketOptions.SO_KEEPALIVE, on);
    }

    @Override
    public boolean getKeepAlive() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getKeepAlive() : settings.flag(StandardSocketOptions.SO_KEEPALIVE);
    }

    @Override
    public void setReuseAddress(boolean on) throws SocketException {
        set(StandardSocketOptions.SO_REUSEADDR, on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getReuseAddress() : settings.flag(StandardSocketOptions.SO_REUSEADDR);
    }

    @Override
    public void setSoLinger(boolean on, int linger) throws SocketException {
        require(!on || linger >= 0, "invalid value for SO_LINGER");
        set(StandardSocketOptions.SO_LINGER, on ? Math.min(linger, LONGEST_LINGER) : -1);
    }

    @Override
    public int getSoLinger() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getSoLinger() : settings.number(StandardSocketOptions.SO_LINGER);
    }

    @Override
    public void setReceiveBufferSize(int size) throws SocketException {
        require(size > 0, "invalid receive size");
        set(StandardSocketOptions.SO_RCVBUF, size);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getReceiveBufferSize() : settings.number(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public void setSendBufferSize(int size) throws SocketException {
        require(size > 0, "negative send size");
        set(StandardSocketOptions.SO_SNDBUF, size);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getSendBufferSize() : settings.number(StandardSocketOptions.SO_SNDBUF);
    }

    @Override
    public void setTrafficClass(int tc) throws SocketException {
        require(tc >= 0 && tc <= BYTE, "tc is not in range 0 -- 255");
        set(StandardSocketOptions.IP_TOS, tc);
    }

    @Override
    public int getTrafficClass() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getTrafficClass() : settings.number(StandardSocketOptions.IP_TOS);
    }

    @Override
    public void setSoTimeout(int timeout) throws SocketException {
        checkOpen();
        require(timeout >= 0, "timeout can't be negative");
        Socket socket = real;
        if (socket != null) {
            socket.setSoTimeout(timeout);
        } else {
            settings.setSoTimeout(timeout);
        }
    }

    @Override
    public int getSoTimeout() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getSoTimeout() : settings.soTimeout();
    }

    @Override
    public void setOOBInline(boolean on) throws SocketException {
        checkOpen();
        Socket socket = real;
        if (socket != null) {
            socket.setOOBInline(on);
        } else {
            settings.setOobInline(on);
        }
    }

    @Override
    public boolean getOOBInline() throws SocketException {
        checkOpen();
        Socket socket = real;
        return socket != null ? socket.getOOBInline() : settings.oobInline();
    }

    @Override
    public void setPerformancePreferences(int connectionTime, int latency, int bandwidth) {
        Socket socket = real;
        if (socket != null) {
            socket.setPerformancePreferences(connectionTime, latency, bandwidth);
        } else {
            settings.setPreferences(connectionTime, latency, bandwidth);
        }
    }
}

package org.tiproxy.agent.socket;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ref.Cleaner;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.UnsupportedAccountException;

/**
 * The socket that a driver gets. Its bytes are in memory: who reads from it, or writes to it, runs the engine. The driver
 * sets its options and connects it as any other socket, and sees the address that it has asked for.
 *
 * <p>It fails open: whatever goes wrong on our side before the first byte, a real socket takes over.
 *
 * <p>Any thread may close it at any time, without waiting for one that reads or writes.
 */
public final class EngineSocket extends RecordingSocket {
    private static final int TCP_PORT_OF_NOBODY = 0;

    /** Closes what an application has lost without closing it, as the JDK does with its own sockets. */
    private static final Cleaner CLEANER = Cleaner.create();

    private final SocketOpener opener;
    private final @Nullable TlsAnnouncement announcement;

    private volatile @Nullable DriverConnection connection;
    private volatile Cleaner.@Nullable Cleanable cleanable;
    private volatile @Nullable InetSocketAddress remote;
    private volatile boolean closed;
    private volatile boolean inputShut;
    private volatile boolean outputShut;
    private @Nullable InputStream input;
    private @Nullable OutputStream output;

    /**
     * A socket that is not connected yet.
     *
     * @param announceTls whether the driver has to find TLS in the greeting
     */
    public EngineSocket(SocketOpener opener, boolean announceTls) throws SocketException {
        this.opener = opener;
        this.announcement = announceTls ? new TlsAnnouncement() : null;
    }

    /** Whether it is connected to the engine; otherwise it is not connected, or a real socket's twin. */
    public boolean isInMemory() {
        return connection != null && real() == null;
    }

    /** The engine's side; null if there is none. */
    public @Nullable DriverConnection connection() {
        return real() == null ? connection : null;
    }

    // ---- connecting

    @Override
    public void connect(SocketAddress endpoint) throws IOException {
        connect(endpoint, 0);
    }

    @Override
    public void connect(SocketAddress endpoint, int timeout) throws IOException {
        if (timeout < 0) {
            throw new IllegalArgumentException("connect: timeout can't be negative");
        }
        if (closed) {
            throw new SocketException("Socket is closed");
        }
        if (isConnected()) {
            throw new SocketException("already connected");
        }
        if (!(endpoint instanceof InetSocketAddress address)) {
            throw new IllegalArgumentException("Unsupported address type");
        }
        long begin = System.nanoTime();
        DriverConnection opened;
        try {
            opened = opener.open(address, Duration.ofMillis(timeout));
        } catch (UnsupportedAccountException e) {
            if (!opener.isSameAddress()) {
                throw e;
            }
            connectDirectly(address, rest(timeout, begin), null);
            opener.turnedBack(e);
            return;
        } catch (SocketTimeoutException e) {
            // There is no time left, or no place in the pool, which a connection beside it would not respect.
            throw e;
        } catch (IOException e) {
            if (!opener.isSameAddress()) {
                throw e;
            }
            // Either the driver's own attempt fails too, and says so in the words that the application knows, or it
            // shows that the trouble was ours.
            connectDirectly(address, rest(timeout, begin), e);
            return;
        } catch (RuntimeException | LinkageError e) {
            if (!opener.isSameAddress()) {
                throw EngineOutput.broken(e);
            }
            connectDirectly(address, rest(timeout, begin), e);
            return;
        }
        if (opened == null) {
            connectDirectly(address, rest(timeout, begin), null);
            return;
        }
        remote = address;
        connection = opened;
        // It does not refer to this socket.
        cleanable = CLEANER.register(this, opened::close);
        if (closed) {
            closeConnection();
            throw new SocketException("Socket closed");
        }
    }

    private static int rest(int timeout, long begin) {
        if (timeout == 0) {
            return 0;
        }
        long passed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        return (int) Math.max(1, timeout - passed);
    }

    private void connectDirectly(InetSocketAddress address, int timeout, @Nullable Throwable cause) throws IOException {
        Socket socket = new Socket();
        boolean connected = false;
        try {
            settings().applyTo(socket);
            use(socket);
            if (closed) {
                throw new SocketException("Socket closed");
            }
            socket.connect(address, timeout);
            connected = true;
        } finally {
            if (!connected) {
                socket.close();
            }
        }
        if (cause != null) {
            opener.failedOpen(cause);
        }
    }

    /**
     * Lets a real socket take over, as nothing has been read or written yet.
     *
     * @return null if that cannot be
     */
    @Nullable
    Socket fallBack(Throwable cause) throws IOException {
        InetSocketAddress address = remote;
        if (address == null || closed || !opener.isSameAddress()) {
            return null;
        }
        closeConnection();
        connectDirectly(address, settings().soTimeout(), cause);
        return real();
    }

    // ---- streams

    @Override
    public InputStream getInputStream() throws IOException {
        Socket socket = real();
        if (socket != null) {
            return socket.getInputStream();
        }
        DriverConnection opened = usable();
        if (inputShut) {
            throw new SocketException("Socket input is shutdown");
        }
        InputStream stream = input;
        if (stream == null) {
            stream = new EngineInput(this, opened, announcement);
            input = stream;
        }
        return stream;
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        Socket socket = real();
        if (socket != null) {
            return socket.getOutputStream();
        }
        DriverConnection opened = usable();
        if (outputShut) {
            throw new SocketException("Socket output is shutdown");
        }
        OutputStream stream = output;
        if (stream == null) {
            stream = new EngineOutput(this, opened, announcement);
            output = stream;
        }
        return stream;
    }

    private DriverConnection usable() throws SocketException {
        if (closed) {
            throw new SocketException("Socket is closed");
        }
        DriverConnection opened = connection;
        if (opened == null) {
            throw new SocketException("Socket is not connected");
        }
        return opened;
    }

    int readTimeout() {
        return settings().soTimeout();
    }

    // ---- ending it

    /** Never waits: who reads or writes meanwhile gets a SocketException. */
    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public void close() throws IOException {
        closed = true;
        closeConnection();
        Socket socket = real();
        if (socket != null) {
            socket.close();
        }
    }

    private void closeConnection() {
        Cleaner.Cleanable known = cleanable;
        DriverConnection opened = connection;
        if (known != null) {
            known.clean();
        } else if (opened != null) {
            opened.close();
        }
    }

    @Override
    public boolean isClosed() {
        Socket socket = real();
        return closed || (socket != null && socket.isClosed());
    }

    @Override
    public void shutdownInput() throws IOException {
        Socket socket = real();
        if (socket != null) {
            socket.shutdownInput();
            return;
        }
        usable();
        if (inputShut) {
            throw new SocketException("Socket input is already shutdown");
        }
        inputShut = true;
    }

    @Override
    public void shutdownOutput() throws IOException {
        Socket socket = real();
        if (socket != null) {
            socket.shutdownOutput();
            return;
        }
        usable();
        if (outputShut) {
            throw new SocketException("Socket output is already shutdown");
        }
        outputShut = true;
    }

    @Override
    public boolean isInputShutdown() {
        Socket socket = real();
        return socket != null ? socket.isInputShutdown() : inputShut;
    }

    @Override
    public boolean isOutputShutdown() {
        Socket socket = real();
        return socket != null ? socket.isOutputShutdown() : outputShut;
    }

    @Override
    public void sendUrgentData(int data) throws IOException {
        Socket socket = real();
        if (socket == null) {
            throw new SocketException("Urgent data not supported");
        }
        socket.sendUrgentData(data);
    }

    // ---- addresses

    @Override
    public void bind(@Nullable SocketAddress bindpoint) throws IOException {
        Socket socket = real();
        if (socket != null) {
            socket.bind(bindpoint);
            return;
        }
        if (closed) {
            throw new SocketException("Socket is closed");
        }
        if (isBound()) {
            throw new SocketException("Already bound");
        }
        settings().bind(bindpoint);
    }

    @Override
    public boolean isBound() {
        Socket socket = real();
        return socket != null
                ? socket.isBound()
                : connection != null || settings().isBound();
    }

    @Override
    public boolean isConnected() {
        Socket socket = real();
        return socket != null ? socket.isConnected() : connection != null;
    }

    @Override
    public @Nullable InetAddress getInetAddress() {
        Socket socket = real();
        if (socket != null) {
            return socket.getInetAddress();
        }
        InetSocketAddress address = remote;
        if (address == null) {
            return null;
        }
        // Drivers ask whether it is the loopback: a name that only the engine could resolve is not.
        InetAddress resolved = address.getAddress();
        return resolved != null ? resolved : new InetSocketAddress(0).getAddress();
    }

    @Override
    public int getPort() {
        Socket socket = real();
        if (socket != null) {
            return socket.getPort();
        }
        InetSocketAddress address = remote;
        return address == null ? 0 : address.getPort();
    }

    @Override
    public @Nullable SocketAddress getRemoteSocketAddress() {
        Socket socket = real();
        return socket != null ? socket.getRemoteSocketAddress() : remote;
    }

    @Override
    public InetAddress getLocalAddress() {
        Socket socket = real();
        if (socket != null) {
            return socket.getLocalAddress();
        }
        InetAddress bound = settings().localAddress();
        if (bound != null) {
            return bound;
        }
        return connection != null
                ? InetAddress.getLoopbackAddress()
                : new InetSocketAddress(TCP_PORT_OF_NOBODY).getAddress();
    }

    @Override
    public int getLocalPort() {
        Socket socket = real();
        if (socket != null) {
            return socket.getLocalPort();
        }
        return isBound() ? TCP_PORT_OF_NOBODY : -1;
    }

    @Override
    public @Nullable SocketAddress getLocalSocketAddress() {
        Socket socket = real();
        if (socket != null) {
            return socket.getLocalSocketAddress();
        }
        return isBound() ? new InetSocketAddress(getLocalAddress(), TCP_PORT_OF_NOBODY) : null;
    }

    @Override
    public @Nullable SocketChannel getChannel() {
        return null;
    }

    @Override
    public String toString() {
        Socket socket = real();
        if (socket != null) {
            return socket.toString();
        }
        InetSocketAddress address = remote;
        return address == null ? "Socket[unconnected]" : "Socket[in memory,addr=" + address + "]";
    }
}

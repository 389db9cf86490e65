package org.tiproxy.agent.socket;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.inprocess.DriverConnection;

/** What the driver reads from. No locks: one thread may read while others write, ask or close. */
final class EngineInput extends InputStream {
    private final EngineSocket socket;
    private final DriverConnection connection;
    private @Nullable TlsAnnouncement announcement;
    private volatile boolean begun;

    EngineInput(EngineSocket socket, DriverConnection connection, @Nullable TlsAnnouncement announcement) {
        this.socket = socket;
        this.connection = connection;
        this.announcement = announcement;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        Socket real = socket.real();
        if (real != null) {
            return real.getInputStream().read(target, offset, length);
        }
        if (socket.isClosed()) {
            throw new SocketException("Socket closed");
        }
        if (length == 0) {
            return 0;
        }
        if (socket.isInputShutdown()) {
            return -1;
        }
        int count;
        try {
            count = connection.read(target, offset, length, socket.readTimeout());
        } catch (RuntimeException | LinkageError e) {
            return recover(e, target, offset, length);
        }
        begun = true;
        TlsAnnouncement rewriter = announcement;
        if (rewriter != null && count > 0) {
            rewriter.greeting(target, offset, count);
            if (rewriter.isOver()) {
                announcement = null;
            }
        }
        return count;
    }

    /** An error of ours, which drivers do not expect from a stream. */
    private int recover(Throwable failure, byte[] target, int offset, int length) throws IOException {
        if (!begun) {
            // The server speaks first: nothing has been exchanged.
            Socket real = socket.fallBack(failure);
            if (real != null) {
                return real.getInputStream().read(target, offset, length);
            }
        }
        throw EngineOutput.broken(failure);
    }

    @Override
    public int available() throws IOException {
        Socket real = socket.real();
        if (real != null) {
            return real.getInputStream().available();
        }
        if (socket.isClosed()) {
            throw new SocketException("Socket closed");
        }
        return socket.isInputShutdown() ? 0 : connection.available();
    }

    /** As a socket's stream does. Connector/J aborts connections this way, while another thread reads. */
    @Override
    public void close() throws IOException {
        socket.close();
    }
}

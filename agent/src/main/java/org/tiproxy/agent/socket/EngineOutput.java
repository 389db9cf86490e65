package org.tiproxy.agent.socket;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.inprocess.DriverConnection;

/** What the driver writes to. */
final class EngineOutput extends OutputStream {
    private final EngineSocket socket;
    private final DriverConnection connection;
    private @Nullable TlsAnnouncement announcement;

    EngineOutput(EngineSocket socket, DriverConnection connection, @Nullable TlsAnnouncement announcement) {
        this.socket = socket;
        this.connection = connection;
        this.announcement = announcement;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, source.length);
        Socket real = socket.real();
        if (real != null) {
            real.getOutputStream().write(source, offset, length);
            return;
        }
        if (socket.isClosed()) {
            throw new SocketException("Socket closed");
        }
        if (socket.isOutputShutdown()) {
            throw new SocketException("Socket output is shutdown");
        }
        try {
            TlsAnnouncement rewriter = announcement;
            if (rewriter != null) {
                connection.write(rewriter.answer(source, offset, length), 0, length);
                if (rewriter.isOver()) {
                    announcement = null;
                }
            } else {
                connection.write(source, offset, length);
            }
        } catch (RuntimeException | LinkageError e) {
            throw broken(e);
        }
    }

    /** An error of ours, as something that drivers expect from a stream. */
    static IOException broken(Throwable failure) {
        SocketException exception = new SocketException("tiproxy has failed within this process: " + failure
                + "; -Dtiproxy.enabled=false runs the application without it");
        exception.initCause(failure);
        return exception;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}

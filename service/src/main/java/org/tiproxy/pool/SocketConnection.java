package org.tiproxy.pool;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A blocking TCP connection of the JDK. Used by one borrower at a time. */
public final class SocketConnection {
    private final SocketChannel channel;
    private final InputStream input;
    private final OutputStream output;

    /** Guards the watch: who holds it may switch the channel to non-blocking for a moment. */
    private final ReentrantLock watching = new ReentrantLock();

    private @Nullable IdleListener listener;

    SocketConnection(SocketChannel channel) throws IOException {
        this.channel = channel;
        this.input = channel.socket().getInputStream();
        this.output = channel.socket().getOutputStream();
    }

    /** What the peer sends; {@link #setReadTimeout} applies. */
    public InputStream input() {
        return input;
    }

    /** To the peer, unbuffered. */
    public OutputStream output() {
        return output;
    }

    /** The channel, in blocking mode; whoever changes that changes it back before the release. */
    public SocketChannel channel() {
        return channel;
    }

    /**
     * Sets how long a read may wait.
     *
     * @param millis 0 for ever
     */
    public void setReadTimeout(int millis) throws IOException {
        Socket socket = channel.socket();
        socket.setSoTimeout(millis);
    }

    /** The local address; null once closed. */
    public @Nullable SocketAddress localAddress() {
        return channel.socket().getLocalSocketAddress();
    }

    void watch(IdleListener newListener) {
        watching.lock();
        try {
            listener = newListener;
        } finally {
            watching.unlock();
        }
    }

    /** Ends the watch; true if the peer is still there and has said nothing. */
    boolean endWatch() {
        watching.lock();
        try {
            listener = null;
            return look() == null;
        } finally {
            watching.unlock();
        }
    }

    /** Looks at an idle connection and tells the listener what is wrong. */
    void inspect() {
        IdleListener told;
        String trouble;
        watching.lock();
        try {
            told = listener;
            if (told == null) {
                return;
            }
            trouble = look();
            if (trouble != null) {
                listener = null;
            }
        } finally {
            watching.unlock();
        }
        if (trouble != null) {
            told.lost(trouble);
        }
    }

    /** A read that does not wait; null if all is well. */
    private @Nullable String look() {
        try {
            channel.configureBlocking(false);
            try {
                int read = channel.read(ByteBuffer.allocate(1));
                if (read == 0) {
                    return null;
                }
                return read < 0 ? "closed by the peer" : "the peer sent something unasked";
            } finally {
                channel.configureBlocking(true);
            }
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // The connection is of no further use either way.
            return;
        }
    }
}

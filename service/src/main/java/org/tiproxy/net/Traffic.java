package org.tiproxy.net;

import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.SocketChannel;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.tiproxy.engine.SessionRegistry;

/** Counts a session's bytes, and adds them to the registry's. One thread counts, any may read. */
final class Traffic {
    // Opaque writes are enough for one writer, and cost nothing.
    private static final VarHandle RECEIVED;
    private static final VarHandle SENT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            RECEIVED = lookup.findVarHandle(Traffic.class, "received", long.class);
            SENT = lookup.findVarHandle(Traffic.class, "sent", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SessionRegistry sessions;
    private long received;
    private long sent;

    Traffic(SessionRegistry sessions) {
        this.sessions = sessions;
    }

    /** Bytes that wait to be written to a socket. On its event loop. */
    static long unsent(SocketChannel channel) {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /** The client has sent {@code bytes}. */
    void countReceived(int bytes) {
        RECEIVED.setOpaque(this, received + bytes);
        sessions.countReceived(bytes);
    }

    /** The backend has sent {@code bytes}, which are passed on to the client. */
    void countSent(int bytes) {
        SENT.setOpaque(this, sent + bytes);
        sessions.countSent(bytes);
    }

    long received() {
        return (long) RECEIVED.getOpaque(this);
    }

    long sent() {
        return (long) SENT.getOpaque(this);
    }
}

package org.tiproxy.session;

import java.nio.ByteBuffer;

/**
 * What a session wants to be done; an adapter implements it. The engine calls it only within an event, on that event's
 * thread. No method may call the engine back: what a call leads to (TLS is up, reading goes on) is reported as an event
 * after the present one has returned.
 *
 * <p>What goes to one peer must reach it in the order of the calls, be it forwarded or sent.
 */
public interface SessionOutput {
    /**
     * Forwards bytes of the chunk of the present {@link SessionEngine#clientBytes}.
     *
     * @param from index in the chunk of the first byte, as {@link ByteBuffer#get(int)} counts
     * @param to index behind the last byte, greater than {@code from}
     */
    void forwardToBackend(int from, int to);

    /**
     * Forwards bytes of the chunk of the present {@link SessionEngine#backendBytes}.
     *
     * @param from index in the chunk of the first byte, as {@link ByteBuffer#get(int)} counts
     * @param to index behind the last byte, greater than {@code from}
     */
    void forwardToClient(int from, int to);

    /** Sends bytes of the engine's own. They may hold a password, and are overwritten after the call: copy them. */
    void sendToBackend(ByteBuffer bytes);

    /** Sends bytes of the engine's own, which are overwritten after the call: copy them. */
    void sendToClient(ByteBuffer bytes);

    /**
     * Starts TLS as the server, after what was sent. Every byte of the client that the engine has not taken yet, also in
     * the present chunk, belongs to TLS. Then {@link SessionEngine#clientTlsStarted} or
     * {@link SessionEngine#clientClosed}.
     */
    void startClientTls();

    /**
     * Starts TLS as the client, after what was sent. Then {@link SessionEngine#backendTlsStarted} or
     * {@link SessionEngine#backendClosed}.
     */
    void startBackendTls();

    /** Stops reading the client. What the engine has not taken of the present chunk must be kept. */
    void pauseClient();

    /** Offers the client's kept bytes again, once this event has returned, and goes on reading. */
    void resumeClient();

    /**
     * Finds a backend connection, in the pool or new, and makes it what the request wants. Then one of {@link
     * PooledSessionEngine#backendAcquired}, {@link PooledSessionEngine#backendRefused} and {@link
     * PooledSessionEngine#backendFailed}; {@link #end} before that cancels the request. Only asked for by sessions over
     * pooled connections.
     */
    default void acquireBackend(BackendRequest request) {
        throw new UnsupportedOperationException("this adapter has no pool");
    }

    /**
     * Takes the acquired connection back: the session sends nothing on it any more, and wants nothing of what it may
     * still say. Called exactly once for each acquired connection.
     */
    default void releaseBackend(BackendRelease release) {
        throw new UnsupportedOperationException("this adapter has no pool");
    }

    /**
     * The session is over: closes its connections, after what was sent and forwarded has been flushed. Nothing is
     * called after this; events that come later do nothing.
     */
    void end(SessionEnd end);
}

package org.tiproxy.pool;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.HostPort;

/**
 * What a pool asks of the protocol whose connections it keeps. The pool calls it from any thread, never while holding a
 * lock, and for one connection never from two threads at once, except for {@link #close}. Nothing here may block;
 * {@link SocketConnectionFactory} shows how to wrap calls that do.
 *
 * <p>The pool owns a connection between {@link #idle} and {@link #reuse}, which are called in turns; a borrower owns it
 * between {@link #reuse} and the lease's release.
 *
 * @param <K> what connections must agree in to be exchangeable; needs {@code equals} and {@code hashCode}
 * @param <C> the connection
 */
public interface KeyedConnectionFactory<K, C> {
    /**
     * Opens a connection. A {@link NoRoomException} says that it may work once another one is closed: the pool closes what
     * has been idle there for longest, whatever its key, if somebody waits, and tries again after its usual pause.
     *
     * @param timeout how long it may take; the pool cancels the future at about that time, or earlier when the connection
     *     is no longer wanted
     * @return a future that the pool may cancel. Who completes it must close the connection when
     *     {@link CompletableFuture#complete} answers false
     */
    CompletableFuture<C> connect(K key, HostPort address, Duration timeout);

    /**
     * Whether {@link #connectAhead} can open connections with this key. May be asked at any time, on any thread.
     *
     * @return false for keys that somebody must be there for, or that no second caller will have
     */
    default boolean opensAhead(K key) {
        return true;
    }

    /**
     * Opens a connection that nobody waits for: it stays idle at first, and has to be in a state in which the peer leaves
     * it alone. Otherwise like {@link #connect}, which is what the default does. A {@link KeyRefusedException} says that
     * the address works, but does not want this key: then nothing is opened ahead with it until somebody acquires it again.
     */
    default CompletableFuture<C> connectAhead(K key, HostPort address, Duration timeout) {
        return connect(key, address, timeout);
    }

    /**
     * Whether the peer leaves a connection alone that was opened for a caller who does not want it any more.
     *
     * @return false if it has to be closed unless somebody takes it at once
     */
    default boolean canStayIdle(C connection) {
        return true;
    }

    /**
     * Asks the peer whether the connection still works. It is not watched meanwhile ({@link #reuse} was called before).
     *
     * @param timeout how long it may take; the pool cancels the future at that time and closes the connection
     * @return true if it works; false or any exception if it has to be closed
     */
    CompletableFuture<Boolean> probe(C connection, Duration timeout);

    /** Closes a connection in whatever state it is; exceptions are logged and ignored. */
    void close(C connection);

    /**
     * Starts to watch a connection that is about to become idle: {@code listener} is to be told if the peer closes it or
     * sends something. Never lend a connection with unread bytes to somebody else: they are the answer to another's
     * question.
     */
    default void idle(C connection, IdleListener listener) {}

    /**
     * Ends the watch, and is the last look at a connection before it is lent or probed.
     *
     * @return false if it was closed by the peer or has unread bytes; the pool then closes it and takes another
     */
    default boolean reuse(C connection) {
        return true;
    }
}

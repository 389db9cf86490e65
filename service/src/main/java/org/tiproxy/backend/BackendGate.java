package org.tiproxy.backend;

import org.tiproxy.error.ProxyException;

/**
 * Stands before a backend and says when it may be connected to: at once, after it was started, or not at all.
 *
 * <p>Thread-safe; no method blocks.
 */
public interface BackendGate {

    /**
     * Asks to use the backend. The visitor counts as waiting until {@link Visitor#admitted} or {@link
     * Visitor#refused}, and from admission on as active, until the ticket is closed or {@link Visitor#backendGone} is
     * called.
     *
     * @param visitor hears exactly one of admitted and refused, unless the ticket is closed before; perhaps before this
     *     method returns, perhaps on another thread
     */
    Ticket enter(Visitor visitor);

    /**
     * Whether {@link Visitor#backendGone} says why a backend has gone. It may come a moment after the backend's connections
     * have closed.
     */
    default boolean tellsWhyBackendsGo() {
        return false;
    }

    /** What a waiting client hears from the gate. Called on any thread and never under a lock; must not block. */
    interface Visitor {
        /** The backend is up: connect now. */
        void admitted();

        /** The backend cannot be used. */
        void refused(ProxyException cause);

        /**
         * The backend an admitted visitor uses has gone (its process ended). What it sent before may still be read;
         * nothing can be sent to it any more.
         */
        void backendGone(String reason);
    }

    /** A visitor's place at the gate. */
    interface Ticket extends AutoCloseable {
        /** Leaves: stops waiting, or stops counting as active. Idempotent, thread-safe, never blocks. */
        @Override
        void close();
    }

    /** A gate that admits everybody at once: the backend is somebody else's to start and stop. */
    static BackendGate open() {
        return visitor -> {
            visitor.admitted();
            return () -> {};
        };
    }
}

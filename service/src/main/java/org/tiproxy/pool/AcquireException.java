package org.tiproxy.pool;

import org.jspecify.annotations.Nullable;

/**
 * Nobody could be given a connection. The message names the addresses, the numbers and the last failure to connect, which
 * is also the cause if there was one.
 */
public final class AcquireException extends RuntimeException {
    /** Why there is no connection. */
    public enum Reason {
        /** None came free and none could be opened in time. */
        TIMEOUT,
        /** No address can be connected to, and the pool is configured to say so at once. */
        DOWN,
        /** The pool is closed. */
        CLOSED
    }

    private final Reason reason;

    /** An exception with a message for people. */
    public AcquireException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** Why there is no connection. */
    public Reason reason() {
        return reason;
    }

    /** The same with the stack of the thread that waited. */
    AcquireException onThisThread() {
        return new AcquireException(reason, String.valueOf(getMessage()), getCause());
    }
}

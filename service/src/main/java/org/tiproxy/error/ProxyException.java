package org.tiproxy.error;

import org.jspecify.annotations.Nullable;

/**
 * A failure that a user may read: the message says what happened, where, with which numbers, and what to do. It never
 * contains credentials.
 */
public final class ProxyException extends Exception {
    private static final long serialVersionUID = 1;

    private final ProxyError error;

    /** A failure without an underlying exception. */
    public ProxyException(ProxyError error, String message) {
        this(error, message, null);
    }

    /** A failure with its cause; stack traces are not kept because the message is made for people. */
    public ProxyException(ProxyError error, String message, @Nullable Throwable cause) {
        super(message, cause, false, false);
        this.error = error;
    }

    /** Which failure it is. */
    public ProxyError error() {
        return error;
    }
}

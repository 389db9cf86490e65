package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.wire.protocol.ErrorCode;

/** Ends the session from anywhere in the package; caught by {@link SessionEngine} and nowhere else. */
final class SessionFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ErrorSource source;
    private final EndReason reason;
    private final @Nullable ErrorCode told;

    private SessionFailure(ErrorSource source, EndReason reason, @Nullable ErrorCode told, String text) {
        super(text, null, false, false);
        this.source = source;
        this.reason = reason;
        this.told = told;
    }

    /** The client is told with an ERR, if one fits where its stream is. */
    static SessionFailure told(EndReason reason, ErrorCode told, String text) {
        return new SessionFailure(reason.source(), reason, told, text);
    }

    /** As {@link #told(EndReason, ErrorCode, String)}, where somebody else than usual is to blame. */
    static SessionFailure told(ErrorSource source, EndReason reason, ErrorCode told, String text) {
        return new SessionFailure(source, reason, told, text);
    }

    /** The client is not told: it would not understand, or knows already. */
    static SessionFailure silent(EndReason reason, String text) {
        return new SessionFailure(reason.source(), reason, null, text);
    }

    /** The same failure, when the client has been told. */
    SessionFailure silenced() {
        return new SessionFailure(source, reason, null, text());
    }

    ErrorSource source() {
        return source;
    }

    EndReason reason() {
        return reason;
    }

    @Nullable
    ErrorCode told() {
        return told;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}

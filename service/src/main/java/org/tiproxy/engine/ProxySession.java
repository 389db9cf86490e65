package org.tiproxy.engine;

import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.session.StatementOutcome;

/** One client's conversation, as an operator sees it. Thread-safe; no method blocks. */
public interface ProxySession {
    /** Unique while the proxy runs. */
    long id();

    /** Where the client comes from. */
    HostPort client();

    /** The backend it is connected to; null while it waits for one. */
    @Nullable
    HostPort backend();

    /** When it was accepted. */
    Instant since();

    /** Bytes that came from the client. */
    long bytesReceived();

    /** Bytes that the backend has sent, to be passed on to the client. */
    long bytesSent();

    /** Who is logged in; empty if that is not known (yet). */
    default String user() {
        return "";
    }

    /** The default schema; empty if there is none or it is not known. */
    default String schema() {
        return "";
    }

    /** The command in flight, for example {@code COM_QUERY}; empty if there is none or it is not known. */
    default String command() {
        return "";
    }

    /** For how long the command has been in flight, in milliseconds. */
    default long commandMillis() {
        return 0;
    }

    /** Whether a transaction is open, NONE, ACTIVE or UNKNOWN; empty before the login, or if that is never known. */
    default String transaction() {
        return "";
    }

    /** Whether the client's connection is encrypted. */
    default boolean tls() {
        return false;
    }

    /** The connection id that the client knows; 0 before the login, or if there is no such thing. */
    default long connectionId() {
        return 0;
    }

    /** The backend's own id of the connection, as in SHOW PROCESSLIST; 0 before the login, or if it is not known. */
    default long backendConnectionId() {
        return 0;
    }

    /**
     * The same, for a KILL that is about to be sent: the connection does not become another session's afterwards, so that
     * a KILL that arrives late hits nobody else. 0 if the session has no connection (any more).
     */
    default long aimKill() {
        return backendConnectionId();
    }

    /** How long ago the last command began, or the client logged in, in milliseconds; 0 if that is not known. */
    default long quietMillis() {
        return 0;
    }

    /**
     * Runs a statement of the proxy's own over the backend's connection, if the session is idle and in no transaction at
     * the moment. The client does not see the response. Completes on any thread, always normally.
     */
    default CompletableFuture<StatementOutcome> execute(String sql) {
        return CompletableFuture.completedFuture(StatementOutcome.busy());
    }

    /** Who ended it and why, in words; empty while it goes on. */
    default String ended() {
        return "";
    }

    /**
     * Ends the session as soon as that does not hurt, perhaps at once: outside of transactions and commands. Does nothing
     * where that cannot be known. Idempotent.
     */
    default void drain() {}

    /** Takes {@link #drain} back. */
    default void cancelDrain() {}

    /** Ends the session soon, on both sides. Idempotent. */
    void close(ProxyError cause, String reason);

    /** As {@link #close(ProxyError, String)}, and runs {@code then} when the end has begun, on any thread. */
    default void close(ProxyError cause, String reason, Runnable then) {
        close(cause, reason);
        then.run();
    }
}

package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.protocol.Command;

/**
 * What an adapter reports to a session, and asks it: the same whether the session has a backend connection of its own
 * ({@link SessionEngine}) or borrows one from a pool ({@link PooledSessionEngine}). One event at a time; none blocks, and
 * none throws.
 */
public interface SessionEvents {
    /** Where the session is. */
    SessionPhase phase();

    /** Who is logged in; null before that. */
    @Nullable
    Login login();

    /** What is known about a transaction. */
    TransactionState transaction();

    /** The command that the backend executes, or that the client is sending; null if there is none. */
    @Nullable
    Command commandInFlight();

    /**
     * Whether the client may rightly be silent: it waits for the backend, or for the end of an exchange. Not while a packet
     * of its own has only come in part.
     */
    boolean isBusy();

    /** How many prepared statements are open. */
    int openStatements();

    /** How many cursors of prepared statements are open. */
    int openCursors();

    /** The client has sent bytes; or those that were kept are offered again. */
    void clientBytes(ByteBuffer chunk);

    /** The backend has sent bytes: all are taken. */
    void backendBytes(ByteBuffer chunk);

    /** TLS with the client is up: what comes from now on is decrypted. */
    void clientTlsStarted();

    /** There is no connection to the backend, and there will be none. */
    void backendFailed(ProxyException cause);

    /** The client's connection is closed, or broken, or TLS with it failed. */
    void clientClosed(String reason);

    /** The backend's connection is closed, or broken. */
    void backendClosed(String reason);

    /** The time to log in is over. Does nothing if the client is logged in. */
    void loginTimedOut();

    /** Ends the session now. The client is told the cause if it is where an ERR can be understood. */
    void kill(ProxyException cause);

    /** Ends the session as soon as it is in no transaction and no command is in flight: perhaps at once. */
    void drain();

    /** Takes {@link #drain} back: the session goes on. */
    void cancelDrain();

    /**
     * Runs a statement of the proxy's own over the backend's connection, if the client is between two commands and in no
     * transaction. The client does not see the response, and what it sends in the meantime waits. The backend counts the
     * statement as one of the session: SHOW WARNINGS, ROW_COUNT() and FOUND_ROWS() are about it afterwards.
     *
     * @param sql plain ASCII, without a result of its own
     * @param whenOver hears exactly once what has come of it, within this call or a later event; must not call the engine
     *     back, nor throw
     */
    void execute(String sql, Consumer<StatementOutcome> whenOver);

    /** The connection to the backend is there. Only sessions with a backend connection of their own hear it. */
    default void backendConnected() {}

    /** TLS with the backend is up. Only sessions with a backend connection of their own hear it. */
    default void backendTlsStarted() {}
}

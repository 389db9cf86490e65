package org.tiproxy.session;

import org.tiproxy.wire.protocol.Command;

/**
 * Hears what a session goes through: for the registry and the counters. Called within an event, on that event's thread;
 * must not block and must not call the engine back. The end is reported by {@link SessionOutput#end}.
 */
public interface SessionListener {
    /** Hears nothing. */
    SessionListener NONE = new SessionListener() {};

    /** The session has got into another phase. The time to log in runs from {@link SessionPhase#HANDSHAKE} on. */
    default void phaseChanged(SessionPhase phase) {}

    /**
     * The backend has greeted.
     *
     * @param connectionId its thread id; unsigned
     * @param serverVersion as it says it
     */
    default void backendGreeted(long connectionId, String serverVersion) {}

    /** The client is logged in; also again, after a COM_CHANGE_USER. */
    default void loggedIn(Login login) {}

    /**
     * The backend has refused a login.
     *
     * @param errorCode of its ERR
     */
    default void loginRefused(int errorCode) {}

    /** A command of the client is seen; several may be in flight. */
    default void commandBegun(Command command) {}

    /** A command is over, in the order in which they began, but commands without a response may overtake. */
    default void commandEnded(Command command) {}

    /** Whether a transaction is open has changed, or has become unknown. */
    default void transactionChanged(TransactionState state) {}

    /** The default schema has changed; empty if there is none. */
    default void schemaChanged(String schema) {}
}

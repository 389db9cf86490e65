package org.tiproxy.session;

/** Where a session is; the tables of transitions are in {@link SessionEngine} and {@link PooledSessionEngine}. */
public enum SessionPhase {
    /** The backend connection is not there yet; the client waits for the greeting. */
    CONNECTING,
    /** The backend is connected and has not greeted. */
    GREETING,
    /** The client has the greeting: its SSLRequest or HandshakeResponse41 is awaited. */
    HANDSHAKE,
    /** TLS with the client is being started. */
    CLIENT_TLS,
    /** TLS with the backend is being started; the client's HandshakeResponse41 waits. */
    BACKEND_TLS,
    /** Packets of the authentication go back and forth. */
    AUTHENTICATION,
    /** A backend connection is awaited from the pool; the client's login waits. */
    ACQUIRING,
    /** Logged in: commands and responses. */
    COMMANDS,
    /** Packets of the authentication go back and forth for a COM_CHANGE_USER. */
    CHANGE_USER,
    /** COM_QUIT has been forwarded: the backend is about to close. */
    QUITTING,
    /** Over. */
    ENDED;

    /** Whether the client is not logged in yet. */
    public boolean isBeforeLogin() {
        return compareTo(COMMANDS) < 0;
    }

    /** Whether {@code next} may follow this phase. */
    boolean mayBecome(SessionPhase next) {
        if (next == ENDED) {
            return this != ENDED;
        }
        return switch (this) {
            case CONNECTING -> next == GREETING || next == HANDSHAKE;
            case GREETING -> next == HANDSHAKE;
            case HANDSHAKE -> next == CLIENT_TLS || next == BACKEND_TLS || next == AUTHENTICATION || next == ACQUIRING;
            case CLIENT_TLS -> next == HANDSHAKE;
            case BACKEND_TLS -> next == AUTHENTICATION;
            case AUTHENTICATION -> next == COMMANDS || next == ACQUIRING;
            case ACQUIRING -> next == AUTHENTICATION || next == COMMANDS;
            case COMMANDS -> next == CHANGE_USER || next == QUITTING;
            case CHANGE_USER -> next == COMMANDS || next == ACQUIRING;
            case QUITTING, ENDED -> false;
        };
    }
}

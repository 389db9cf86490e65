package org.tiproxy.session;

import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;

/** Refusals of logins that would have been none with fewer connections. */
public final class ConnectionLimits {
    private ConnectionLimits() {}

    /** Whether the backend has as many connections as it allows, of anybody's. */
    public static boolean isServerFull(ErrPacket refusal) {
        return refusal.code() == ErrorCode.ER_CON_COUNT_ERROR.code();
    }

    /**
     * Whether the user has as many as the server or the account allows. The account's limits per hour have the same code,
     * and another name of the resource, which servers do not translate.
     */
    public static boolean isUserFull(ErrPacket refusal) {
        return refusal.code() == ErrorCode.ER_TOO_MANY_USER_CONNECTIONS.code()
                || (refusal.code() == ErrorCode.ER_USER_LIMIT_REACHED.code()
                        && refusal.message().contains("max_user_connections"));
    }
}

package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * A backend connection as its login, or its last cleaning, has left it. Immutable, holds no credentials.
 *
 * @param greeting what the backend said first; its scramble stays in use for the connection's life
 * @param tls whether the connection is encrypted
 * @param user who is logged in; null if nobody is yet
 * @param schema the default schema; empty if there is none
 * @param collationId the collation that the login named
 * @param capabilities the flags that both sides have set; 0 if nobody is logged in
 * @param ok what the backend answered to the login; null if nobody is logged in
 * @param fresh what a cleaning has found out about the connection when it was as new; null as long as none has
 */
public record BackendConnectionInfo(
        HandshakeV10 greeting,
        boolean tls,
        @Nullable String user,
        String schema,
        int collationId,
        long capabilities,
        @Nullable OkPacket ok,
        @Nullable Fresh fresh) {
    /**
     * What cannot be reset, so that it is compared.
     *
     * @param role what CURRENT_ROLE() was; null if no role was active
     * @param user what USER() was
     * @param limited whether the account may have limits that only a login brings back
     * @param resets how often the connection was cleaned since, without a login
     */
    public record Fresh(@Nullable String role, @Nullable String user, boolean limited, int resets) {
        /** After another cleaning. */
        Fresh afterReset() {
            return new Fresh(role, user, limited, resets + 1);
        }

        /** Of an account that may have limits. */
        Fresh withLimits() {
            return new Fresh(role, user, true, resets);
        }
    }

    /** A connection that no cleaning has seen. */
    public BackendConnectionInfo(
            HandshakeV10 greeting,
            boolean tls,
            @Nullable String user,
            String schema,
            int collationId,
            long capabilities,
            @Nullable OkPacket ok) {
        this(greeting, tls, user, schema, collationId, capabilities, ok, null);
    }

    /** The backend's dialect. */
    public ServerFamily family() {
        return ServerFamily.of(greeting);
    }

    /** The backend's thread id; unsigned. */
    public long threadId() {
        return Integer.toUnsignedLong(greeting.connectionId());
    }

    /** Whether somebody has logged in, now or before. */
    public boolean isLoggedIn() {
        return user != null;
    }

    /** After a login, of whatever kind. */
    BackendConnectionInfo loggedIn(String newUser, String newSchema, int collation, long negotiated, OkPacket answer) {
        return new BackendConnectionInfo(greeting, tls, newUser, newSchema, collation, negotiated, answer);
    }

    /** After a COM_INIT_DB. */
    BackendConnectionInfo withSchema(String newSchema, OkPacket answer) {
        return new BackendConnectionInfo(greeting, tls, user, newSchema, collationId, capabilities, answer, fresh);
    }

    /** After a cleaning. */
    BackendConnectionInfo withFresh(@Nullable Fresh found) {
        return new BackendConnectionInfo(greeting, tls, user, schema, collationId, capabilities, ok, found);
    }

    /** The sequence id of the first packet behind greeting and SSLRequest. */
    int loginSequenceId() {
        return tls ? 2 : 1;
    }
}

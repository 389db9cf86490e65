package org.tiproxy.session;

import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;

/** One command of a cleaning; see {@link ConnectionCleaner}. */
enum CleaningStep {
    /**
     * Nothing clears the texts that SET profiling has collected, nor their numbers: if there are any, the connection
     * cannot become like a new one.
     */
    SHOW_PROFILES,
    /**
     * MariaDB lets an active role survive a change of user, even to one who was never granted it. With no role active,
     * the change of user activates the default role.
     */
    SET_ROLE_NONE,
    /** Undoes a COM_SET_OPTION of the session. */
    SET_OPTION,
    /** Clears the session's state where there are no credentials for a change of user. */
    RESET_CONNECTION,
    /** Changes nothing but the default schema. */
    INIT_DB,
    /** Clears the session's state and checks that the account still lets us in. */
    CHANGE_USER,
    /** CLIENT_IGNORE_SPACE adds to sql_mode at the first login, but not after a change of user. */
    IGNORE_SPACE;

    /** What {@link #IGNORE_SPACE} sends. */
    static final String SET_IGNORE_SPACE = "SET sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')";

    private static final int FIRST_MYSQL_WITH_ROLES = 8;

    /** Whether the backend needs, and knows, this step. */
    boolean appliesTo(HandshakeV10 greeting) {
        return switch (this) {
            case SHOW_PROFILES -> ServerFamily.of(greeting) != ServerFamily.TIDB;
            case SET_ROLE_NONE ->
                ServerFamily.of(greeting) != ServerFamily.MYSQL || majorVersion(greeting) >= FIRST_MYSQL_WITH_ROLES;
            case SET_OPTION, RESET_CONNECTION, INIT_DB, CHANGE_USER, IGNORE_SPACE -> true;
        };
    }

    /** How many packets SHOW PROFILES answers with if it finds none. */
    static int packetsWithoutProfiles(long capabilities) {
        int columns = 3;
        return Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities) ? 1 + columns + 1 : 1 + columns + 2;
    }

    private static int majorVersion(HandshakeV10 greeting) {
        String version = greeting.displayVersion();
        int dot = version.indexOf('.');
        try {
            return Integer.parseInt(dot < 0 ? version : version.substring(0, dot));
        } catch (NumberFormatException e) {
            return FIRST_MYSQL_WITH_ROLES;
        }
    }
}

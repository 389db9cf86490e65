package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;

/** One command of a cleaning; see {@link ConnectionCleaner}. */
enum CleaningStep {
    /**
     * Asks which role and schema are active, and as whom. Stored functions and triggers may change the role, so that no
     * look at the session's statements tells; MariaDB 12's SET SESSION AUTHORIZATION changes the user.
     */
    READ_STATE,
    /**
     * Asks whether the account, or the server, limits the session. MariaDB's COM_RESET_CONNECTION takes MAX_STATEMENT_TIME and
     * MAX_USER_CONNECTIONS off it until the next login, and max_user_connections (measured: 11.4.5; MySQL 9.7 keeps them).
     */
    READ_LIMITS,
    /**
     * Asks for the limits per hour, which no variable shows and the reset takes off, too. The answer has the hash of the
     * password, which with the login before it is as good as the password: over TLS only.
     */
    SHOW_GRANTS,
    /**
     * Nothing clears the texts that SET profiling has collected, nor their numbers: if there are any, the connection
     * cannot become like a new one. Behind another step, whose text it finds if a stored function has left profiling on.
     */
    SHOW_PROFILES,
    /**
     * MariaDB lets an active role survive a change of user, even to one who was never granted it. With no role active,
     * the change of user activates the default role.
     */
    SET_ROLE_NONE,
    /** Undoes a COM_SET_OPTION of the session. */
    SET_OPTION,
    /** Clears the session's state, except role and default schema. */
    RESET_CONNECTION,
    /** MySQL's COM_RESET_CONNECTION goes back to the server's character sets instead of the login's. */
    SET_NAMES,
    /**
     * Changes nothing but the default schema. Behind COM_RESET_CONNECTION, which leaves it but forgets its character set.
     */
    INIT_DB,
    /** Clears the session's state and checks that the account still lets us in. */
    CHANGE_USER,
    /** What the capabilities add to variables at the first login only: see {@link #effectsOf}. */
    RESTORE_EFFECTS;

    /** What {@link #READ_STATE} sends. */
    static final String SELECT_STATE = "SELECT CURRENT_ROLE(), DATABASE(), USER()";

    /** What {@link #READ_LIMITS} sends. */
    static final String SELECT_LIMITS =
            "SELECT @@max_user_connections <> 0 OR @@max_statement_time <> @@global.max_statement_time";

    private static final int FIRST_MYSQL_WITH_ROLES = 8;

    /** Whether the backend needs, and knows, this step. */
    boolean appliesTo(HandshakeV10 greeting) {
        return switch (this) {
            case SHOW_PROFILES -> ServerFamily.of(greeting) != ServerFamily.TIDB;
            case SET_ROLE_NONE, READ_STATE ->
                ServerFamily.of(greeting) != ServerFamily.MYSQL || majorVersion(greeting) >= FIRST_MYSQL_WITH_ROLES;
            case READ_LIMITS, SHOW_GRANTS -> ServerFamily.of(greeting) == ServerFamily.MARIADB;
            case SET_NAMES -> ServerFamily.of(greeting) == ServerFamily.MYSQL;
            case SET_OPTION, RESET_CONNECTION, INIT_DB, CHANGE_USER, RESTORE_EFFECTS -> true;
        };
    }

    /**
     * The statement behind a change of user or a reset that does what the login has done because of its capabilities;
     * null if that is nothing. CLIENT_IGNORE_SPACE adds to sql_mode, CLIENT_INTERACTIVE decides on wait_timeout.
     */
    static @Nullable String effectsOf(long capabilities) {
        boolean spaces = Capability.CLIENT_IGNORE_SPACE.isIn(capabilities);
        boolean interactive = Capability.CLIENT_INTERACTIVE.isIn(capabilities);
        if (!spaces && !interactive) {
            return null;
        }
        return "SET " + (spaces ? "sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')" : "")
                + (spaces && interactive ? ", " : "")
                + (interactive ? "wait_timeout = @@interactive_timeout" : "");
    }

    /**
     * The statement that sets the character sets of a login with this collation; null for those whose name is not the
     * same in all versions.
     */
    static @Nullable String namesOf(int collationId) {
        return switch (collationId) {
            case 8 -> "SET NAMES latin1 COLLATE latin1_swedish_ci";
            case 45 -> "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci";
            case 46 -> "SET NAMES utf8mb4 COLLATE utf8mb4_bin";
            case 224 -> "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci";
            case 255 -> "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci";
            default -> null;
        };
    }

    /** Whether {@link #RESET_CONNECTION} and what goes with it can stand in for {@link #CHANGE_USER}. */
    static boolean canReset(HandshakeV10 greeting, int collationId) {
        return READ_STATE.appliesTo(greeting) && !(SET_NAMES.appliesTo(greeting) && namesOf(collationId) == null);
    }

    /** How many packets SHOW PROFILES answers with if it finds none. */
    static int packetsWithoutProfiles(long capabilities) {
        int columns = 3;
        return Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities) ? 1 + columns + 1 : 1 + columns + 2;
    }

    /** The payload of a COM_QUERY. */
    static byte[] query(String sql) {
        return ComQuery.of(sql).encode().toByteArray();
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

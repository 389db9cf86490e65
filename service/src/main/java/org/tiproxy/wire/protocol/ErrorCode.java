package org.tiproxy.wire.protocol;

/** Error codes that the proxy sends or recognises, with the SQLSTATE that servers send with them. */
public enum ErrorCode {
    /** Too many connections. */
    ER_CON_COUNT_ERROR(1040, "08004"),
    /** Bad handshake. */
    ER_HANDSHAKE_ERROR(1043, "08S01"),
    /** Access denied for a user to a schema. */
    ER_DBACCESS_DENIED_ERROR(1044, "42000"),
    /** Access denied for a user. */
    ER_ACCESS_DENIED_ERROR(1045, "28000"),
    /** Unknown command. */
    ER_UNKNOWN_COM_ERROR(1047, "08S01"),
    /** Unknown schema. */
    ER_BAD_DB_ERROR(1049, "42000"),
    /** The server is shutting down. */
    ER_SERVER_SHUTDOWN(1053, "08S01"),
    /** Anything that has no code of its own. */
    ER_UNKNOWN_ERROR(1105, "HY000"),
    /** The connection was aborted. */
    ER_ABORTING_CONNECTION(1152, "08S01"),
    /** A packet is larger than {@code max_allowed_packet}. */
    ER_NET_PACKET_TOO_LARGE(1153, "08S01"),
    /** Reading from a pipe failed. */
    ER_NET_READ_ERROR_FROM_PIPE(1154, "08S01"),
    /** fcntl() failed. */
    ER_NET_FCNTL_ERROR(1155, "08S01"),
    /** A packet has the wrong sequence id. */
    ER_NET_PACKETS_OUT_OF_ORDER(1156, "08S01"),
    /** A compressed packet cannot be uncompressed. */
    ER_NET_UNCOMPRESS_ERROR(1157, "08S01"),
    /** Reading failed. */
    ER_NET_READ_ERROR(1158, "08S01"),
    /** Reading timed out. */
    ER_NET_READ_INTERRUPTED(1159, "08S01"),
    /** Writing failed. */
    ER_NET_ERROR_ON_WRITE(1160, "08S01"),
    /** Writing timed out. */
    ER_NET_WRITE_INTERRUPTED(1161, "08S01"),
    /** The connection was aborted; the text names user and host. */
    ER_NEW_ABORTING_CONNECTION(1184, "08S01"),
    /** The user has too many connections. */
    ER_TOO_MANY_USER_CONNECTIONS(1203, "42000"),
    /** A lock was not obtained in time. */
    ER_LOCK_WAIT_TIMEOUT(1205, "HY000"),
    /** Wrong arguments, also of a prepared statement. */
    ER_WRONG_ARGUMENTS(1210, "HY000"),
    /** The transaction was the victim of a deadlock and is rolled back. */
    ER_LOCK_DEADLOCK(1213, "40001"),
    /** One of the user's limits is exhausted. */
    ER_USER_LIMIT_REACHED(1226, "42000"),
    /** Unknown prepared statement. */
    ER_UNKNOWN_STMT_HANDLER(1243, "HY000"),
    /** The client does not support the authentication that the server wants. */
    ER_NOT_SUPPORTED_AUTH_MODE(1251, "08004"),
    /** The query was killed. */
    ER_QUERY_INTERRUPTED(1317, "70100"),
    /** The statement has no open cursor. */
    ER_STMT_HAS_NO_OPEN_CURSOR(1421, "24000"),
    /** A packet cannot be understood. */
    ER_MALFORMED_PACKET(1835, "HY000"),
    /** MariaDB: the connection was killed. */
    ER_CONNECTION_KILLED(1927, "70100"),
    /** Drivers: no connection to the server. */
    CR_CONN_HOST_ERROR(2003, "HY000"),
    /** Drivers: the server has gone away. */
    CR_SERVER_GONE_ERROR(2006, "HY000"),
    /** Drivers: the connection was lost during the query. */
    CR_SERVER_LOST(2013, "HY000"),
    /** Drivers: TLS failed. */
    CR_SSL_CONNECTION_ERROR(2026, "HY000"),
    /** The server accepts only encrypted connections. */
    ER_SECURE_TRANSPORT_REQUIRED(3159, "HY000"),
    /** MySQL: the server closes an idle connection; it comes without a command. */
    ER_CLIENT_INTERACTION_TIMEOUT(4031, "HY000");

    private final int code;
    private final String sqlState;

    ErrorCode(int code, String sqlState) {
        this.code = code;
        this.sqlState = sqlState;
    }

    /** The number in the ERR packet. */
    public int code() {
        return code;
    }

    /** Five characters. */
    public String sqlState() {
        return sqlState;
    }
}

package org.tiproxy.wire.protocol;

import java.util.EnumSet;
import java.util.Set;

/**
 * Capability flags, exchanged in the handshake; a feature is in use if both sides set its flag.
 *
 * <p>A set of flags is a {@code long}: bits 0 to 31 are the flags that MySQL and MariaDB share, bits 32 to 63 are
 * MariaDB's extended flags, which travel in bytes that MySQL leaves zero and count only if bit 0 is clear on both
 * sides.
 */
public enum Capability {
    /**
     * MySQL: improved version of the old password authentication; always set. MariaDB calls it CLIENT_MYSQL: set means
     * "not MariaDB, no extended flags".
     */
    CLIENT_LONG_PASSWORD(0),
    /** Affected rows count the rows found instead of the rows changed. */
    CLIENT_FOUND_ROWS(1),
    /** Column definitions have two bytes of flags. */
    CLIENT_LONG_FLAG(2),
    /** HandshakeResponse41 carries a schema. */
    CLIENT_CONNECT_WITH_DB(3),
    /** {@code schema.table.column} is refused. */
    CLIENT_NO_SCHEMA(4),
    /** Packets travel compressed with zlib after the handshake. */
    CLIENT_COMPRESS(5),
    /** The client is an ODBC driver; has no effect. */
    CLIENT_ODBC(6),
    /** LOAD DATA LOCAL is allowed. */
    CLIENT_LOCAL_FILES(7),
    /** Spaces between a function's name and its parenthesis are ignored. */
    CLIENT_IGNORE_SPACE(8),
    /** The protocol of version 4.1; without it nothing here applies. */
    CLIENT_PROTOCOL_41(9),
    /** The session's idle timeout is {@code interactive_timeout}. */
    CLIENT_INTERACTIVE(10),
    /** TLS: the client sends an SSLRequest before its HandshakeResponse41. */
    CLIENT_SSL(11),
    /** The client ignores SIGPIPE; has no effect. */
    CLIENT_IGNORE_SIGPIPE(12),
    /** OK and EOF carry status flags. */
    CLIENT_TRANSACTIONS(13),
    /** Formerly CLIENT_PROTOCOL_41 of early 4.1 versions; unused. */
    CLIENT_RESERVED(14),
    /** 20-byte scrambles; the manual also says CLIENT_RESERVED2. */
    CLIENT_SECURE_CONNECTION(15),
    /** Several statements in one COM_QUERY. */
    CLIENT_MULTI_STATEMENTS(16),
    /** Several results of one COM_QUERY. */
    CLIENT_MULTI_RESULTS(17),
    /** Several results, and out parameters, of one COM_STMT_EXECUTE. */
    CLIENT_PS_MULTI_RESULTS(18),
    /** Authentication plugins are named in the handshake and may be switched. */
    CLIENT_PLUGIN_AUTH(19),
    /** HandshakeResponse41 and COM_CHANGE_USER carry connection attributes. */
    CLIENT_CONNECT_ATTRS(20),
    /** The authentication data in HandshakeResponse41 has a length-encoded length. */
    CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA(21),
    /** An expired password leads to a restricted session instead of an error. */
    CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS(22),
    /** OK carries changes of the session's state. */
    CLIENT_SESSION_TRACK(23),
    /** No EOF after column definitions, and an OK with header 0xfe after the rows. */
    CLIENT_DEPRECATE_EOF(24),
    /** MySQL: the server may leave out column definitions. */
    CLIENT_OPTIONAL_RESULTSET_METADATA(25),
    /** MySQL: packets travel compressed with zstd after the handshake. */
    CLIENT_ZSTD_COMPRESSION_ALGORITHM(26),
    /** MySQL: COM_QUERY and COM_STMT_EXECUTE carry attributes in front of, or after, their payload. */
    CLIENT_QUERY_ATTRIBUTES(27),
    /** MySQL: more than one authentication factor. */
    MULTI_FACTOR_AUTHENTICATION(28),
    /** MySQL: reserved for an extension of the flags. MariaDB: an obsolete form of progress reports. */
    CLIENT_CAPABILITY_EXTENSION(29),
    /** Client-side only: verify the server's certificate. */
    CLIENT_SSL_VERIFY_SERVER_CERT(30),
    /** Client-side only: options survive a failed connect. */
    CLIENT_REMEMBER_OPTIONS(31),
    /** MariaDB: progress reports as ERR packets with error code 0xffff. */
    MARIADB_CLIENT_PROGRESS(32),
    /** MariaDB: COM_MULTI; never released. */
    MARIADB_CLIENT_COM_MULTI(33),
    /** MariaDB: COM_STMT_BULK_EXECUTE. */
    MARIADB_CLIENT_STMT_BULK_OPERATIONS(34),
    /** MariaDB: column definitions have an additional block with the extended type. */
    MARIADB_CLIENT_EXTENDED_METADATA(35),
    /** MariaDB: COM_STMT_EXECUTE leaves out column definitions that have not changed since COM_STMT_PREPARE. */
    MARIADB_CLIENT_CACHE_METADATA(36),
    /** MariaDB: COM_STMT_BULK_EXECUTE may answer with one result per row. */
    MARIADB_CLIENT_BULK_UNIT_RESULTS(37);

    /** The bits that only MariaDB knows. */
    public static final long MARIADB_EXTENDED = 0xffff_ffff_0000_0000L;

    private final long mask;

    Capability(int bit) {
        this.mask = 1L << bit;
    }

    /** The flag as a set of one. */
    public long mask() {
        return mask;
    }

    /** Whether {@code capabilities} contains this flag. */
    public boolean isIn(long capabilities) {
        return (capabilities & mask) != 0;
    }

    /** The set of the given flags. */
    public static long setOf(Capability... flags) {
        long set = 0;
        for (Capability flag : flags) {
            set |= flag.mask;
        }
        return set;
    }

    /** The named flags in {@code capabilities}, for messages and tests. */
    public static Set<Capability> namesIn(long capabilities) {
        Set<Capability> names = EnumSet.noneOf(Capability.class);
        for (Capability flag : values()) {
            if (flag.isIn(capabilities)) {
                names.add(flag);
            }
        }
        return names;
    }
}

package org.tiproxy.wire.protocol;

/** Ids of well-known collations. The handshake has room for one byte, COM_CHANGE_USER for two. */
public enum Collation {
    /** The server's default before MySQL 8.0. */
    LATIN1_SWEDISH_CI(8),
    /** utf8mb3, the default of many drivers. */
    UTF8_GENERAL_CI(33),
    /** utf8mb4 of MySQL 5.x and MariaDB. */
    UTF8MB4_GENERAL_CI(45),
    /** utf8mb4 by code point; TiDB's default. */
    UTF8MB4_BIN(46),
    /** Bytes. */
    BINARY(63),
    /** utf8mb4 by the Unicode rules of 4.0. */
    UTF8MB4_UNICODE_CI(224),
    /** utf8mb4, the default of MySQL 8.0. */
    UTF8MB4_0900_AI_CI(255);

    private final int id;

    Collation(int id) {
        this.id = id;
    }

    /** The number in the packets. */
    public int id() {
        return id;
    }
}

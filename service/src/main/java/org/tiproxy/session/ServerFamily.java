package org.tiproxy.session;

import org.tiproxy.wire.server.HandshakeV10;

/** Which dialect of the protocol the backend speaks. */
public enum ServerFamily {
    /** MySQL, and whatever does not say that it is something else. */
    MYSQL,
    /** MariaDB. */
    MARIADB,
    /** TiDB: no session tracking. */
    TIDB;

    static ServerFamily of(HandshakeV10 greeting) {
        if (greeting.serverVersion().contains("TiDB")) {
            return TIDB;
        }
        return greeting.isMariaDb() ? MARIADB : MYSQL;
    }
}

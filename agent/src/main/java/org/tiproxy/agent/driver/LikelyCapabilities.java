package org.tiproxy.agent.driver;

import static org.tiproxy.wire.protocol.Capability.CLIENT_DEPRECATE_EOF;
import static org.tiproxy.wire.protocol.Capability.CLIENT_FOUND_ROWS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_IGNORE_SPACE;
import static org.tiproxy.wire.protocol.Capability.CLIENT_LOCAL_FILES;
import static org.tiproxy.wire.protocol.Capability.CLIENT_LONG_FLAG;
import static org.tiproxy.wire.protocol.Capability.CLIENT_MULTI_RESULTS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PS_MULTI_RESULTS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SESSION_TRACK;
import static org.tiproxy.wire.protocol.Capability.CLIENT_TRANSACTIONS;
import static org.tiproxy.wire.protocol.Capability.MARIADB_CLIENT_EXTENDED_METADATA;
import static org.tiproxy.wire.protocol.Capability.MARIADB_CLIENT_STMT_BULK_OPERATIONS;

import org.tiproxy.wire.protocol.Capability;

/**
 * The flags that the newest drivers log in with as long as no option says otherwise. A guess that is wrong costs one
 * connection, at the first login.
 */
final class LikelyCapabilities {
    private static final long CONNECTOR_J_5 = Capability.setOf(
            CLIENT_FOUND_ROWS, CLIENT_LONG_FLAG, CLIENT_TRANSACTIONS, CLIENT_MULTI_RESULTS, CLIENT_DEPRECATE_EOF);

    private static final long CONNECTOR_J = CONNECTOR_J_5 | CLIENT_PS_MULTI_RESULTS.mask();

    private static final long MARIADB_2 = Capability.setOf(
            CLIENT_FOUND_ROWS,
            CLIENT_LOCAL_FILES,
            CLIENT_IGNORE_SPACE,
            CLIENT_TRANSACTIONS,
            CLIENT_MULTI_RESULTS,
            CLIENT_PS_MULTI_RESULTS,
            CLIENT_SESSION_TRACK,
            CLIENT_DEPRECATE_EOF);

    private static final long MARIADB =
            MARIADB_2 | Capability.setOf(MARIADB_CLIENT_STMT_BULK_OPERATIONS, MARIADB_CLIENT_EXTENDED_METADATA);

    private LikelyCapabilities() {}

    /** Those of a family, as {@code DriverTarget} names it. */
    static long of(String family) {
        return switch (family) {
            case ConnectorJ.FAMILY -> CONNECTOR_J;
            case ConnectorJ5.FAMILY -> CONNECTOR_J_5;
            case MariaDb.FAMILY -> MARIADB;
            case MariaDb2.FAMILY -> MARIADB_2;
            default -> 0;
        };
    }
}

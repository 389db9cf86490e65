package org.tiproxy.drivers;

import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.TiDbServer;

/** The comparison on TiDB, with each vendor's newest driver. */
@Timeout(300)
class TiDbServerIT {
    /**
     * What TiDB does not have (procedures, cursors like these, character sets), ends that the proxy explains where TiDB
     * only closes, and a warning about the age of its statistics.
     */
    private static final Set<String> WITHOUT = Set.of(
            "KILL",
            "a statement cancelled by another thread",
            "errors and warnings",
            "types as text",
            "types in binary",
            "character sets",
            "what the driver asks of the schema",
            "procedures, prepared in the driver",
            "procedures, prepared at the server",
            "prepared statements",
            "cursors",
            "transactions");

    @TempDir
    static Path folder;

    private static TiDbServer server;
    private static ServerComparison comparison;

    @BeforeAll
    static void start() throws Exception {
        TiDbServer.assumePresent();
        server = TiDbServer.start(
                folder,
                Stream.concat(
                                Stream.of(
                                        "GRANT ALL ON *.* TO demo@'127.0.0.1' WITH GRANT OPTION",
                                        "SET GLOBAL local_infile = 1",
                                        "SET cte_max_recursion_depth = 20000"),
                                Accounts.NUMBERS.stream())
                        .toList());
        comparison = new ServerComparison("tidb", folder, server.port());
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.close();
        }
        if (comparison != null) {
            comparison.close();
        }
    }

    @TestFactory
    Stream<DynamicNode> theSameThroughTheProxy() {
        return comparison.tests(ServerComparison.NEWEST, WITHOUT);
    }
}

package org.tiproxy.drivers;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.MySqlServer;

/** The comparison on Oracle's MySQL: each vendor's newest driver, and with {@code -Dtiproxy.drivers=all} older ones too. */
@Timeout(300)
class MySqlServerIT {
    private static final Set<JdbcDriver> ALL = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_8_0_33,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_3_5_11,
            JdbcDriver.MARIADB_2_7_13);

    @TempDir
    static Path folder;

    private static MySqlServer server;
    private static ServerComparison comparison;

    @BeforeAll
    static void start() throws Exception {
        MySqlServer.assumePresent();
        server = Accounts.startMySql(folder);
        comparison = new ServerComparison("mysql", folder, server.port());
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
        boolean all = System.getProperty("tiproxy.drivers", "").equals("all");
        return comparison.tests(all ? ALL : ServerComparison.NEWEST, Set.of());
    }
}

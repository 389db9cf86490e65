package org.tiproxy.drivers;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.RunningProxy;
import org.tiproxy.testing.TiDbServer;

/** The comparison on TiDB: each vendor's newest driver, and with {@code -Dtiproxy.drivers=all} older ones too. */
@Timeout(300)
class TiDbServerIT {
    private static final Set<JdbcDriver> NEWEST = EnumSet.of(JdbcDriver.CONNECTOR_J_26_10_0, JdbcDriver.MARIADB_4_0_0);
    private static final Set<JdbcDriver> ALL = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_8_0_33,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_3_5_11,
            JdbcDriver.MARIADB_2_7_13);

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

    private static final DriverLoaders LOADERS = new DriverLoaders();

    @TempDir
    static Path folder;

    private static TiDbServer server;
    private static RunningProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        TiDbServer.assumePresent();
        server = TiDbServer.start(
                folder,
                List.of(
                        "GRANT ALL ON *.* TO demo@'127.0.0.1' WITH GRANT OPTION",
                        "SET GLOBAL local_infile = 1",
                        "CREATE DATABASE numbers",
                        "CREATE TABLE numbers.numbers (seq INT AUTO_INCREMENT PRIMARY KEY)",
                        "SET cte_max_recursion_depth = 20000",
                        "INSERT INTO numbers.numbers WITH RECURSIVE c AS (SELECT 1 n UNION ALL SELECT n + 1 FROM c"
                                + " WHERE n < 20000) SELECT n FROM c"));
        proxy = RunningProxy.start(folder, server.port());
    }

    @AfterAll
    static void stop() throws IOException {
        LOADERS.close();
        if (proxy != null) {
            proxy.close();
        }
        if (server != null) {
            server.close();
        }
    }

    private static Map<String, Scenario> scenarios() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.putAll(TypeScenarios.all());
        all.putAll(StatementScenarios.all());
        all.putAll(LoadDataScenarios.all());
        all.putAll(SessionScenarios.all());
        all.keySet().removeAll(WITHOUT);
        return all;
    }

    @TestFactory
    Stream<DynamicNode> theSameThroughTheProxy() {
        boolean all = System.getProperty("tiproxy.drivers", "").equals("all");
        return (all ? ALL : NEWEST)
                .stream()
                        .map(driver -> dynamicContainer(
                                driver.toString(),
                                scenarios().entrySet().stream()
                                        .map(scenario -> dynamicTest(
                                                scenario.getKey(),
                                                () -> Comparison.of(
                                                        "tidb " + scenario.getKey(),
                                                        scenario.getValue(),
                                                        driver,
                                                        LOADERS.of(driver),
                                                        server.port(),
                                                        proxy.port(),
                                                        folder)))));
    }
}

package org.tiproxy.drivers;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.MySqlServer;
import org.tiproxy.testing.RunningProxy;

/** The comparison on Oracle's MySQL: each vendor's newest driver, and with {@code -Dtiproxy.drivers=all} older ones too. */
@Timeout(300)
class MySqlServerIT {
    private static final Set<JdbcDriver> NEWEST = EnumSet.of(JdbcDriver.CONNECTOR_J_26_10_0, JdbcDriver.MARIADB_4_0_0);
    private static final Set<JdbcDriver> ALL = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_8_0_33,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_3_5_11,
            JdbcDriver.MARIADB_2_7_13);

    private static final DriverLoaders LOADERS = new DriverLoaders();

    @TempDir
    static Path folder;

    private static MySqlServer server;
    private static RunningProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        MySqlServer.assumePresent();
        server = Accounts.startMySql(folder);
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
                                                        "mysql " + scenario.getKey(),
                                                        scenario.getValue(),
                                                        driver,
                                                        LOADERS.of(driver),
                                                        server.port(),
                                                        proxy.port(),
                                                        folder)))));
    }
}

package org.tiproxy.drivers;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.RunningProxy;

/**
 * Each driver does everything twice, direct and through the proxy, and has to see the same.
 *
 * <p>What moves hundreds of megabytes is done by each vendor's newest driver only, unless {@code -Dtiproxy.drivers=all}
 * asks for all. {@code -Dtiproxy.driver=} and {@code -Dtiproxy.scenario=} choose by a part of the name.
 */
@Timeout(600)
abstract class DriverComparison {
    private static final Set<JdbcDriver> NEWEST = EnumSet.of(JdbcDriver.CONNECTOR_J_26_10_0, JdbcDriver.MARIADB_4_0_0);

    private static final DriverLoaders LOADERS = new DriverLoaders();

    @TempDir
    static Path folder;

    private static MariaDbServer server;
    private static RunningProxy proxy;

    private final Predicate<JdbcDriver> drivers;

    /** A part of the drivers: the parts may be compared side by side. */
    DriverComparison(Predicate<JdbcDriver> drivers) {
        this.drivers = drivers;
    }

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, Accounts.serverOptions(folder, false));
        proxy = RunningProxy.start(folder, server.port());
    }

    @AfterAll
    static void stop() throws IOException {
        LOADERS.close();
        proxy.close();
        server.close();
    }

    private static Map<String, Scenario> scenarios(JdbcDriver driver) {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.putAll(TypeScenarios.all());
        if (NEWEST.contains(driver) || System.getProperty("tiproxy.drivers", "").equals("all")) {
            all.putAll(TypeScenarios.large());
        }
        all.putAll(StatementScenarios.all());
        all.putAll(LoadDataScenarios.all());
        all.putAll(SessionScenarios.all());
        String only = System.getProperty("tiproxy.scenario", "");
        all.keySet().removeIf(name -> !name.contains(only));
        return all;
    }

    @TestFactory
    Stream<DynamicNode> theSameThroughTheProxy() {
        String only = System.getProperty("tiproxy.driver", "");
        return JdbcDriver.OVER_THE_NETWORK.stream()
                .filter(drivers)
                .filter(driver -> driver.toString().contains(only))
                .map(driver -> dynamicContainer(driver.toString(), tests(driver)));
    }

    private static Stream<DynamicNode> tests(JdbcDriver driver) {
        List<DynamicNode> tests = new ArrayList<>();
        scenarios(driver)
                .forEach((name, scenario) -> tests.add(dynamicTest(name, () -> compare(driver, name, scenario))));
        return tests.stream();
    }

    private static void compare(JdbcDriver driver, String name, Scenario scenario) throws Exception {
        Comparison.of(name, scenario, driver, LOADERS.of(driver), server.port(), proxy.port(), folder);
    }
}

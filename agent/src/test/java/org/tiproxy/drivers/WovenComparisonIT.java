package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.tiproxy.agent.bootstrap.Bridge;
import org.tiproxy.agent.driver.DriverHook;
import org.tiproxy.inprocess.SocketDriverProxy;
import org.tiproxy.testing.MariaDbServer;

/**
 * Each driver does everything twice, as it is and woven, and has to see the same: one of each line, all of them with {@code
 * -Dtiproxy.drivers=all}. {@code -Dtiproxy.driver=} and {@code -Dtiproxy.scenario=} choose by a part of the name.
 */
@Timeout(600)
class WovenComparisonIT {
    private static final Set<JdbcDriver> ONE_OF_EACH_LINE = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_5_1_49,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_2_7_13);

    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, Accounts.serverOptions(folder, false));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Map<String, Scenario> scenarios() {
        Map<String, Scenario> all = new LinkedHashMap<>();
        all.putAll(TypeScenarios.all());
        all.putAll(StatementScenarios.all());
        all.putAll(LoadDataScenarios.all());
        all.putAll(SessionScenarios.all());
        String only = System.getProperty("tiproxy.scenario", "");
        all.keySet().removeIf(name -> !name.contains(only));
        return all;
    }

    @TestFactory
    Stream<DynamicNode> theSameWhenWoven() {
        String only = System.getProperty("tiproxy.driver", "");
        boolean all = System.getProperty("tiproxy.drivers", "").equals("all");
        return (all || !only.isEmpty() ? JdbcDriver.WOVEN : ONE_OF_EACH_LINE)
                .stream()
                        .filter(driver -> driver.toString().contains(only))
                        .map(driver -> dynamicContainer(driver.toString(), tests(driver)));
    }

    private static Stream<DynamicNode> tests(JdbcDriver driver) {
        List<DynamicNode> tests = new ArrayList<>();
        scenarios().forEach((name, scenario) -> tests.add(dynamicTest(name, () -> compare(driver, scenario))));
        return tests.stream();
    }

    private static void compare(JdbcDriver driver, Scenario scenario) throws Exception {
        List<String> direct;
        try (URLClassLoader loader = driver.load()) {
            direct = ScenarioRun.of(scenario, driver, loader, server.port(), server.port(), folder);
        }
        RecordingRedirector redirector = new RecordingRedirector();
        SocketDriverProxy engine = new SocketDriverProxy();
        Bridge.HOOK = new DriverHook(redirector, engine);
        try (URLClassLoader loader = new WovenLoader(driver)) {
            List<String> woven = ScenarioRun.of(scenario, driver, loader, server.port(), server.port(), folder);
            assertThat(direct).as("what there is to compare").isNotEmpty();
            assertThat(woven).isEqualTo(direct);
        } finally {
            Bridge.HOOK = null;
        }
        assertThat(redirector.failures()).isEmpty();
        assertThat(redirector.bypassed()).isEmpty();
        assertThat(engine.logins()).isNotEmpty();
    }
}

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
import org.junit.jupiter.api.DynamicNode;
import org.tiproxy.testing.RunningProxy;

/** The comparison on a server of another kind: direct, and through a proxy. */
final class ServerComparison implements AutoCloseable {
    static final Set<JdbcDriver> NEWEST = EnumSet.of(JdbcDriver.CONNECTOR_J_26_10_0, JdbcDriver.MARIADB_4_0_0);

    private final DriverLoaders loaders = new DriverLoaders();
    private final String server;
    private final Path folder;
    private final int port;
    private final RunningProxy proxy;

    /**
     * A proxy in front of a server.
     *
     * @param server what to call it
     */
    ServerComparison(String server, Path folder, int port) throws Exception {
        this.server = server;
        this.folder = folder;
        this.port = port;
        this.proxy = RunningProxy.start(folder, port);
    }

    /** Every scenario but those that the server cannot do. */
    Stream<DynamicNode> tests(Set<JdbcDriver> drivers, Set<String> without) {
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        scenarios.putAll(TypeScenarios.all());
        scenarios.putAll(StatementScenarios.all());
        scenarios.putAll(LoadDataScenarios.all());
        scenarios.putAll(SessionScenarios.all());
        scenarios.keySet().removeAll(without);
        return drivers.stream()
                .map(driver -> dynamicContainer(
                        driver.toString(),
                        scenarios.entrySet().stream()
                                .map(scenario -> dynamicTest(
                                        scenario.getKey(),
                                        () -> compare(driver, scenario.getKey(), scenario.getValue())))));
    }

    private void compare(JdbcDriver driver, String name, Scenario scenario) throws Exception {
        Comparison.of(server + " " + name, scenario, driver, loaders.of(driver), port, proxy.port(), folder);
    }

    @Override
    public void close() throws IOException {
        try {
            proxy.close();
        } finally {
            loaders.close();
        }
    }
}

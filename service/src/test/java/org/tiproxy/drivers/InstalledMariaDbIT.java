package org.tiproxy.drivers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.RunningProxy;

/** A part of the comparison on the MariaDB server of this machine, often an older one; skipped where there is none. */
@Timeout(300)
class InstalledMariaDbIT {
    private static final DriverLoaders LOADERS = new DriverLoaders();
    private static final String PLUGIN = "auth_ed25519.so";

    @TempDir
    static Path folder;

    private static MariaDbServer server;
    private static RunningProxy proxy;
    private static Optional<Path> plugins;

    @BeforeAll
    static void start() throws Exception {
        Optional<Path> basedir = MariaDbServer.installed();
        assumeTrue(basedir.isPresent(), "no MariaDB server is installed");
        // Debian has the plugin in another package than the server: .ci/run takes it from there.
        plugins = Stream.of(
                        basedir.orElseThrow().resolve(Path.of("lib", "mysql", "plugin")),
                        ClientProgram.CLIENTS.resolve("plugin"))
                .filter(path -> Files.isRegularFile(path.resolve(PLUGIN)))
                .findFirst();
        List<String> options = new ArrayList<>(List.of(Accounts.serverOptions(folder, plugins.isPresent())));
        plugins.ifPresent(path -> options.add("--plugin-dir=" + path));
        server = MariaDbServer.start(basedir, MariaDbServer.freePort(), folder, options.toArray(String[]::new));
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

    @TestFactory
    Stream<DynamicTest> loginsAreAnsweredAsByTheServer() throws IOException {
        return new LoginClients(folder, server.port(), proxy.port(), plugins.isPresent()).tests();
    }

    @TestFactory
    Stream<DynamicTest> theSameThroughTheProxy() {
        Map<String, Scenario> scenarios = new LinkedHashMap<>();
        scenarios.putAll(TypeScenarios.basic());
        scenarios.putAll(StatementScenarios.basic());
        scenarios.putAll(SessionScenarios.basic());
        return JdbcDriver.OVER_THE_NETWORK.stream()
                .flatMap(driver -> scenarios.entrySet().stream()
                        .map(scenario -> dynamicTest(
                                driver + ", " + scenario.getKey(),
                                () -> Comparison.of(
                                        "installed " + scenario.getKey(),
                                        scenario.getValue(),
                                        driver,
                                        LOADERS.of(driver),
                                        server.port(),
                                        proxy.port(),
                                        folder))));
    }
}

package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.RunningProxy;

/** A server that crashes is a communications error for every driver, with and without the proxy. */
@Timeout(300)
class ServerLossIT {
    @TempDir
    Path folder;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<JdbcDriver, URLClassLoader> loaders = new EnumMap<>(JdbcDriver.class);
    private final Map<String, Connection> idle = new TreeMap<>();
    private final Map<String, CompletableFuture<String>> working = new TreeMap<>();

    @Test
    void aCrashIsACommunicationsErrorAndTheNextServerIsUsed() throws Exception {
        int port = MariaDbServer.freePort();
        String[] options = Accounts.serverOptions(folder, false);
        MariaDbServer server = MariaDbServer.start(MariaDbServer.unpacked(), port, folder, options);
        try (RunningProxy proxy = RunningProxy.start(folder, port)) {
            for (JdbcDriver driver : JdbcDriver.OVER_THE_NETWORK) {
                open(driver, "direct", port);
                open(driver, "proxied", proxy.port());
            }
            try (Connection admin = ScenarioRun.admin(port)) {
                String count = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'";
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> ScenarioRun.text(admin, count).equals(Integer.toString(working.size())));
            }
            server.kill();
            for (String name : idle.keySet()) {
                assertThat(working.get(name).get(60, TimeUnit.SECONDS))
                        .as("working, " + name)
                        .startsWith("08");
                assertThat(failure(idle.get(name), "SELECT 1"))
                        .as("idle, " + name)
                        .startsWith("08");
            }
            for (JdbcDriver driver : JdbcDriver.OVER_THE_NETWORK) {
                assertThat(login(driver, proxy.port())).as("login, " + driver).startsWith("08");
            }
            server = MariaDbServer.start(MariaDbServer.unpacked(), port, folder, options);
            for (JdbcDriver driver : JdbcDriver.OVER_THE_NETWORK) {
                assertThat(login(driver, proxy.port())).as("login, " + driver).isEqualTo("valid");
            }
        } finally {
            server.close();
            threads.shutdownNow();
            for (URLClassLoader loader : loaders.values()) {
                loader.close();
            }
        }
    }

    /** A connection that does nothing, and one that works. */
    private void open(JdbcDriver driver, String way, int port) throws Exception {
        String name = driver + " " + way;
        idle.put(name, connect(driver, port));
        Connection connection = connect(driver, port);
        working.put(name, CompletableFuture.supplyAsync(() -> failure(connection, "SELECT SLEEP(100)"), threads));
    }

    private Connection connect(JdbcDriver driver, int port) throws Exception {
        URLClassLoader loader = loaders.get(driver);
        if (loader == null) {
            loader = driver.load();
            loaders.put(driver, loader);
        }
        return driver.connect(loader, port, Scenario.SCHEMA, ScenarioRun.USER, ScenarioRun.PASSWORD);
    }

    /** The SQLSTATE that a statement fails with. */
    private static String failure(Connection connection, String sql) {
        try {
            return ScenarioRun.text(connection, sql);
        } catch (SQLException e) {
            return String.valueOf(e.getSQLState());
        }
    }

    /** The SQLSTATE that a login fails with, or that it succeeds. */
    private String login(JdbcDriver driver, int port) throws Exception {
        try (Connection connection = connect(driver, port)) {
            return connection.isValid(10) ? "valid" : "not valid";
        } catch (SQLException e) {
            return String.valueOf(e.getSQLState());
        }
    }
}

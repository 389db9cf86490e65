package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts where the proxy understands what it passes on: the real jar, jmxterm, a driver and a server. */
@Timeout(300)
class MySqlScriptsIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private TiProxyJar tiproxy;

    @BeforeAll
    static void bePatient() {
        Awaitility.setDefaultTimeout(TiProxyJar.PATIENCE);
    }

    @BeforeEach
    void start() throws Exception {
        tiproxy = new TiProxyJar(folder.resolve("state"));
        tiproxy.environment("MARIADB_PORT", Integer.toString(tiproxy.backendPort));
        tiproxy.environment("MARIADB_DATA", folder.resolve("data").toString());
        tiproxy.start(
                "--protocol",
                "mysql",
                "--start",
                "120s",
                "--exec",
                ROOT.resolve("examples/quickstart/mariadb.sh").toString());
    }

    @AfterEach
    void stop() throws Exception {
        tiproxy.close();
    }

    private String run(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(ROOT.resolve("jmx-scripts/tiproxy-jmx").toString(), "--url", "127.0.0.1:" + tiproxy.jmxPort));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .put(
                        "JMXTERM_JAR",
                        Path.of("target", "jmxterm.jar").toAbsolutePath().toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    private Connection connect(String password) throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + tiproxy.port + "/demo", "demo", password);
    }

    /** SLEEP returns 1, or fails, when it is interrupted. */
    private static boolean sleepIsInterrupted(Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT SLEEP(100)")) {
            return rows.next() && rows.getInt(1) == 1;
        } catch (SQLException e) {
            return true;
        }
    }

    @Test
    void sessionsAreSeenAndKilled() throws Exception {
        try (Connection busy = connect("demo");
                Connection idle = connect("demo")) {
            CompletableFuture<Boolean> query = CompletableFuture.supplyAsync(() -> sleepIsInterrupted(busy));
            await().until(() -> {
                try (Statement statement = idle.createStatement();
                        ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM information_schema.processlist"
                                + " WHERE info LIKE 'SELECT SLEEP%' AND state = 'User sleep'")) {
                    return rows.next() && rows.getInt(1) == 1;
                }
            });

            assertThat(run("connections")).contains("user = demo", "command = COM_QUERY", "transaction = NONE");
            assertThat(run("watch", "1", "1")).contains("CommandsTotal = ");
            assertThat(run("kill-query", "1")).contains("KILL QUERY");
            assertThat(query.get(60, TimeUnit.SECONDS)).isTrue();

            assertThat(run("kill-session", "1")).contains("true");
            assertThatThrownBy(() -> busy.createStatement().executeQuery("SELECT 1"))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> connect("wrong")).hasMessageContaining("Access denied");
            assertThat(run("status"))
                    .contains("AuthFailuresTotal = 1", "KILLED", "LOGIN_REFUSED", "client = 1", "backend = 0");
        }
    }
}

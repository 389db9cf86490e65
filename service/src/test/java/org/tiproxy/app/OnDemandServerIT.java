package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.testing.MariaDbServer;

/** The whole service with a real server as its child, and real drivers. */
@Timeout(180)
class OnDemandServerIT {
    @TempDir
    Path folder;

    private int port;
    private TiProxy service;

    private void start(Path program, String... more) throws Exception {
        start("mysql", program, more);
    }

    private void start(String protocol, Path program, String... more) throws Exception {
        port = MariaDbServer.freePort();
        List<String> lines = new ArrayList<>(List.of(
                "proxy = {addr = '127.0.0.1:" + port + "', graceful-close-conn-timeout = '0s', protocol = '" + protocol
                        + "'}",
                "backend.instances = ['127.0.0.1:" + MariaDbServer.freePort() + "']",
                "jmx.addr = 'off'",
                "jolokia.addr = 'off'",
                "[supervisor]",
                "exec = '" + program + "'",
                "start = '2m'",
                "state-dir = 'state'"));
        lines.addAll(List.of(more));
        Path file = Files.write(folder.resolve("tiproxy.toml"), lines);
        Problems problems = new Problems();
        SettingsReader reader = new SettingsReader(TiProxyConfig.KEYS, TiProxyConfig.IGNORED, Map.of(), problems);
        reader.readFile(file, "tiproxy.toml", Origin.ofFlag("--config", ""));
        service = TiProxy.start(TiProxyConfig.from(reader.settings(), problems));
    }

    private Path program(String... lines) throws Exception {
        Path file = Files.write(folder.resolve("server"), List.of(lines));
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    @AfterEach
    void stop() {
        if (service != null) {
            service.stop();
        }
    }

    private Connection connect(String driver) throws SQLException {
        return DriverManager.getConnection(driver + "://127.0.0.1:" + port + "/demo", "demo", "demo");
    }

    private Path server() throws Exception {
        return program(
                "#!/bin/sh",
                "export MARIADB_DATA='" + folder.resolve("data") + "'",
                "export MARIADB_PORT=$(sed -n \"s/^backend.instances = .*:\\([0-9]*\\)'.*/\\1/p\" '"
                        + folder.resolve("tiproxy.toml") + "')",
                "exec '" + MariaDbServer.script() + "'");
    }

    private static Object attribute(String bean, String name) throws Exception {
        return ManagementFactory.getPlatformMBeanServer()
                .getAttribute(new ObjectName("tiproxy:type=" + bean + ",name=default"), name);
    }

    @Test
    void idleConnectionsOfThePoolDoNotKeepTheServerAlive() throws Exception {
        start(server(), "idle = '1s'", "[pool]", "mode = 'session'");
        for (int round = 1; round <= 2; round++) {
            for (String driver : List.of("jdbc:mariadb", "jdbc:mysql", "jdbc:mariadb")) {
                connect(driver).close();
            }
            await().atMost(Duration.ofMinutes(1))
                    .untilAsserted(
                            () -> assertThat(attribute("Supervisor", "State")).isEqualTo("CLOSED"));
            await().untilAsserted(() -> assertThat(attribute("Pool", "Total")).isEqualTo(0));
            assertThat(attribute("Supervisor", "UnexpectedExitsTotal")).isEqualTo(0L);
            assertThat((Long) attribute("Pool", "ReusedTotal")).isGreaterThanOrEqualTo(round);
        }
        assertThat(attribute("Supervisor", "StartsTotal")).isEqualTo(2L);
    }

    /** A server that says its pid when it is asked. */
    private Path lineServer() throws Exception {
        Path classes = Path.of(OnDemandServerIT.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        return program(
                "#!/bin/sh",
                "port=$(sed -n \"s/^backend.instances = .*:\\([0-9]*\\)'.*/\\1/p\" '" + folder.resolve("tiproxy.toml")
                        + "')",
                "exec '" + Path.of(System.getProperty("java.home"), "bin", "java") + "' -cp '" + classes
                        + "' org.tiproxy.supervisor.TestChild port=$port");
    }

    private String askForPid() throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("pid\n".getBytes(StandardCharsets.US_ASCII));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
        }
    }

    @Test
    void idleConnectionsInRawModeAreClosedWhenTheServerIsStopped() throws Exception {
        start("tcp", lineServer(), "idle = '1s'", "[pool]", "mode = 'tcp'", "min-idle = 1");
        for (int round = 1; round <= 2; round++) {
            String pid = askForPid();
            assertThat(pid).matches("\\d+");
            await().untilAsserted(() -> assertThat(attribute("Pool", "Active")).isEqualTo(0));
            assertThat(askForPid()).isEqualTo(pid);
            await().atMost(Duration.ofMinutes(1))
                    .untilAsserted(
                            () -> assertThat(attribute("Supervisor", "State")).isEqualTo("CLOSED"));
            await().untilAsserted(() -> assertThat(attribute("Pool", "Total")).isEqualTo(0));
            assertThat((Long) attribute("Pool", "AcquiredTotal")).isEqualTo(2L * round);
        }
        assertThat(attribute("Supervisor", "StartsTotal")).isEqualTo(2L);
        assertThat(attribute("Supervisor", "UnexpectedExitsTotal")).isEqualTo(0L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
    void aClientIsHeldWhileTheServerStartsAndThenLoggedIn(String driver) throws Exception {
        start(server());

        try (Connection connection = connect(driver);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT VERSION()")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getString(1)).contains("MariaDB");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
    void aServerThatCannotStartIsACommunicationsErrorWithTheReason(String driver) throws Exception {
        start(program("#!/bin/sh", "exit 3"));

        assertThatThrownBy(() -> connect(driver))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"))
                .hasMessageContaining("3");
        // In the time after a failed start as well.
        assertThatThrownBy(() -> connect(driver))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"));
    }
}

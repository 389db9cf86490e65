package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
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

    private void start(Path program) throws Exception {
        port = MariaDbServer.freePort();
        Path file = Files.write(
                folder.resolve("tiproxy.toml"),
                List.of(
                        "proxy = {addr = '127.0.0.1:" + port + "', graceful-close-conn-timeout = '0s'}",
                        "backend.instances = ['127.0.0.1:" + MariaDbServer.freePort() + "']",
                        "jmx.addr = 'off'",
                        "jolokia.addr = 'off'",
                        "[supervisor]",
                        "exec = '" + program + "'",
                        "start = '2m'",
                        "state-dir = 'state'"));
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

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
    void aClientIsHeldWhileTheServerStartsAndThenLoggedIn(String driver) throws Exception {
        Path config = folder.resolve("tiproxy.toml");
        start(program(
                "#!/bin/sh",
                "export MARIADB_DATA='" + folder.resolve("data") + "'",
                "export MARIADB_PORT=$(sed -n \"s/^backend.instances = .*:\\([0-9]*\\)'.*/\\1/p\" '" + config + "')",
                "exec '" + MariaDbServer.script() + "'"));

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

package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.inprocess.InProcessDrivers.Driver;
import org.tiproxy.testing.MariaDbServer;

/** Real drivers and a real server, and nothing between them but memory. */
class InProcessProxyIT {
    private static MariaDbServer server;

    @BeforeAll
    static void startServer(@TempDir Path folder) throws Exception {
        server = MariaDbServer.start(folder);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    private static InProcessDrivers drivers() {
        return new InProcessDrivers(server.port(), UnaryOperator.identity());
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionIsUsedAgain(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            long first = useOnce(drivers, driver);
            for (int i = 0; i < 20; i++) {
                assertThat(useOnce(drivers, driver)).isEqualTo(first);
            }
            assertThat(drivers.pool().control().statistics().createdTotal()).isEqualTo(1);
        }
    }

    private static long useOnce(InProcessDrivers drivers, Driver driver) throws SQLException {
        try (Connection connection = drivers.connect(driver)) {
            return query(connection, "SELECT CONNECTION_ID()");
        }
    }

    @ParameterizedTest
    @EnumSource
    void openingAgainWithTheSameSettingsCausesNoTraffic(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection observer = observer()) {
            useOnce(drivers, driver);
            drivers.pool().control().listConnections();
            try (Connection settled = drivers.connect(driver)) {
                // What the close of the first one has begun is over now.
                assertThat(settled.isClosed()).isFalse();
            }
            long before = commandsOf(observer);
            try (Connection connection = drivers.connect(driver)) {
                assertThat(commandsOf(observer)).isEqualTo(before + 1);
                assertThat(query(connection, "SELECT 41 + 1")).isEqualTo(42);
            }
        }
    }

    /** All commands of all connections, the one that asks included. */
    private static long commandsOf(Connection observer) throws SQLException {
        try (Statement statement = observer.createStatement();
                ResultSet row = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Questions'")) {
            row.next();
            return row.getLong(2);
        }
    }

    private static Connection observer() throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + server.port() + "/demo", "demo", "demo");
    }

    static long query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    static Duration seconds(int count) {
        return Duration.ofSeconds(count);
    }
}

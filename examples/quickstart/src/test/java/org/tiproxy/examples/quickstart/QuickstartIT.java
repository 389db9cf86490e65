package org.tiproxy.examples.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** start.sh with tiproxy.jar, a real MariaDB server and a real driver. */
class QuickstartIT {
    @TempDir
    private Path folder;

    private RunningQuickstart quickstart;

    @BeforeEach
    void startsWithoutServer() throws Exception {
        Assumptions.assumeTrue(RunningQuickstart.hasServer(), "no MariaDB server on this machine");
        quickstart = new RunningQuickstart(folder);
        awaitState("Proxy", "RUNNING");
        awaitState("Supervisor", "CLOSED");
        assertThat(quickstart.children()).isEmpty();
    }

    @AfterEach
    void endsEverything() throws Exception {
        if (quickstart != null) {
            quickstart.close();
        }
    }

    @Test
    void firstConnectionWaitsForServerAndNextOneFindsItRunning() throws Exception {
        try (Connection first = quickstart.connect()) {
            assertThat(query(first, "SELECT VERSION()")).contains("MariaDB");
            List<ProcessHandle> children = quickstart.children();
            assertThat(children).hasSize(1);

            try (Connection second = quickstart.connect()) {
                assertThat(query(second, "SELECT 1")).isEqualTo("1");
            }
            assertThat(quickstart.children()).isEqualTo(children);
            assertThat(quickstart.attribute("Supervisor", "StartsTotal")).isEqualTo("1");
        }
    }

    @Test
    void dataOutlivesTheIdleStop() throws Exception {
        try (Connection connection = quickstart.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE visit (name VARCHAR(20))");
            statement.execute("INSERT INTO visit VALUES ('first')");
        }
        awaitState("Supervisor", "CLOSED");
        assertThat(quickstart.children()).isEmpty();

        try (Connection connection = quickstart.connect()) {
            assertThat(query(connection, "SELECT name FROM visit")).isEqualTo("first");
        }
        assertThat(quickstart.attribute("Supervisor", "StartsTotal")).isEqualTo("2");
    }

    @Test
    void terminatedProxyLeavesNoServer() throws Exception {
        List<ProcessHandle> children;
        try (Connection connection = quickstart.connect()) {
            assertThat(query(connection, "SELECT 1")).isEqualTo("1");
            children = quickstart.children();
        }

        assertThat(quickstart.terminate()).isZero();
        assertThat(children).isNotEmpty().noneMatch(ProcessHandle::isAlive);
    }

    private void awaitState(String type, String state) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(quickstart.attribute(type, "State"))
                        .as(quickstart::output)
                        .isEqualTo(state));
    }

    private static String query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(1);
        }
    }
}

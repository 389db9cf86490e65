package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.testing.MariaDbServer;

/** What drivers do with their sockets besides asking and reading the answer. */
class WovenTrapsIT extends WovenDrivers {
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

    @Override
    int serverPort() {
        return server.port();
    }

    // ---- traps

    private <T> CompletableFuture<T> async(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(work.call());
                    } catch (Exception e) {
                        result.completeExceptionally(e);
                    }
                },
                "application");
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    private static void awaitStatement(String text) {
        await().until(() -> {
            try (Connection admin = ScenarioRun.admin(server.port())) {
                return !ScenarioRun.text(
                                admin,
                                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '" + text + "'")
                        .equals("0");
            }
        });
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t1BatchesThatASecondThreadReadsAreComplete(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            run(connection, "CREATE OR REPLACE TABLE batch (id INT PRIMARY KEY, text VARCHAR(100))");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batch VALUES (?, ?)")) {
                for (int i = 0; i < 2000; i++) {
                    insert.setInt(1, i);
                    insert.setString(2, "row " + i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(2000);
            }
            assertThat(ScenarioRun.text(connection, "SELECT COUNT(*) FROM batch"))
                    .isEqualTo("2000");
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t2StatementsThatAreClosedWithoutAnAnswerDoNotStay(JdbcDriver driver) throws Exception {
        String serverSide =
                isConnectorJ(driver) ? "useServerPrepStmts=true" : "useServerPrepStmts=true&cachePrepStmts=false";
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader, serverSide)) {
            for (int i = 0; i < 10; i++) {
                try (PreparedStatement select = connection.prepareStatement("SELECT ? + " + i)) {
                    select.setInt(1, i);
                    select.executeQuery().close();
                }
            }
            String open = ScenarioRun.text(
                    connection,
                    "SELECT variable_value FROM information_schema.session_status WHERE variable_name ="
                            + " 'COM_STMT_CLOSE'");
            assertThat(Integer.parseInt(open)).isGreaterThanOrEqualTo(9);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t4SocketTimeoutEndsAReadInTime(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            Connection connection = connect(driver, loader);
            connection.setNetworkTimeout(Runnable::run, 300);
            assertThat(connection.getNetworkTimeout()).isEqualTo(300);
            assertThatThrownBy(() -> run(connection, "SELECT SLEEP(20) /* t4 */"))
                    .isInstanceOf(SQLException.class);
            connection.close();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t5AnIdleConnectionNeedsNoThreadOfOurs(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("tiproxy"));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t9AServerThatRedirectsDoesNotLeadAroundTheHook(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader, "permitRedirect=true")) {
            assertThat(one(connection)).isEqualTo(1);
            run(connection, "SET SESSION redirect_url = 'mysql://127.0.0.1:" + server.port() + "'");
            assertThat(one(connection)).isEqualTo(1);
            // A connection that the driver opens because of it is the engine's like any other.
            assertThat(engine.logins()).hasSameSizeAs(redirector.targets());
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t10LargeRowsAndPacketsPass(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT REPEAT('x', 20000000)")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getString(1)).hasSize(20_000_000);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aStreamedResultIsLeftHalfWay(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(isConnectorJ(driver) ? Integer.MIN_VALUE : 10);
                try (ResultSet rows = statement.executeQuery("SELECT seq FROM seq_1_to_100000")) {
                    rows.next();
                    assertThat(rows.getInt(1)).isEqualTo(1);
                }
            }
            assertThat(one(connection)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aCancelledStatementEndsAndTheConnectionStays(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement()) {
            CompletableFuture<Boolean> sleeping = async(() -> statement.execute("SELECT SLEEP(60) /* cancel */"));
            awaitStatement("SELECT SLEEP(60) /* cancel%");
            statement.cancel();
            // MariaDB answers a SLEEP that was cut short with an error, or with 1.
            assertThat(catchThrowable(() -> sleeping.get(20, TimeUnit.SECONDS)))
                    .satisfiesAnyOf(
                            failure -> assertThat(failure).isNull(),
                            failure -> assertThat(failure).isInstanceOf(ExecutionException.class));
            assertThat(one(connection)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aQueryTimeoutIsKept(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            assertThatThrownBy(() -> statement.execute("SELECT SLEEP(30), BENCHMARK(1, 1) /* timeout */"))
                    .isInstanceOf(SQLException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void abortEndsAReadOfAnotherThread(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            Connection connection = connect(driver, loader);
            CompletableFuture<Boolean> sleeping = async(() -> run(connection, "SELECT SLEEP(60) /* abort */"));
            awaitStatement("SELECT SLEEP(60) /* abort%");
            connection.abort(Runnable::run);
            assertThat(catchThrowable(() -> sleeping.get(20, TimeUnit.SECONDS)))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(SQLException.class);
            await().until(() -> engine.open() == 0);
        }
    }
}

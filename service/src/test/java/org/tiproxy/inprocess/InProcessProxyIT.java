package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.inprocess.InProcessDrivers.Driver;
import org.tiproxy.net.tls.TestAuthority;
import org.tiproxy.session.TlsMode;
import org.tiproxy.testing.MariaDbServer;

/** Real drivers and a real server, and nothing between them but memory. */
class InProcessProxyIT {
    private static MariaDbServer server;

    @BeforeAll
    static void startServer(@TempDir Path folder) throws Exception {
        Path accounts = Files.writeString(folder.resolve("accounts.sql"), """
                CREATE DATABASE demo;
                CREATE USER 'demo'@'127.0.0.1' IDENTIFIED BY 'demo';
                GRANT ALL PRIVILEGES ON demo.* TO 'demo'@'127.0.0.1';
                CREATE ROLE helper WITH ADMIN 'demo'@'127.0.0.1';
                GRANT helper TO 'demo'@'127.0.0.1';
                """);
        TestAuthority.Issued certificate = new TestAuthority(folder, "ca").issue("server", "server");
        server = MariaDbServer.start(
                folder,
                "--max-allowed-packet=256M",
                "--init-file=" + accounts,
                "--ssl",
                "--ssl-cert=" + certificate.certificate(),
                "--ssl-key=" + certificate.key());
        server.administer("CREATE USER 'limited'@'127.0.0.1' IDENTIFIED BY 'limited'"
                + " WITH MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 2;"
                + " GRANT ALL PRIVILEGES ON demo.* TO 'limited'@'127.0.0.1'");
        try (Connection connection = observer();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE kept (id INT)");
        }
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

    @ParameterizedTest
    @EnumSource
    void whatASessionHasDoneIsGoneForTheNext(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            long id;
            try (Connection connection = drivers.connect(driver);
                    Statement statement = connection.createStatement()) {
                id = query(connection, "SELECT CONNECTION_ID()");
                statement.execute("CREATE TEMPORARY TABLE left_over (id INT)");
                statement.execute("SET @left_over = 1, sql_mode = ''");
                statement.execute("DO GET_LOCK('left_over', 0)");
                connection.setAutoCommit(false);
                statement.execute("INSERT INTO kept VALUES (1)");
            }
            try (Connection connection = drivers.connect(driver);
                    Statement statement = connection.createStatement()) {
                assertThat(query(connection, "SELECT CONNECTION_ID()")).isEqualTo(id);
                assertThat(query(connection, "SELECT @left_over IS NULL")).isEqualTo(1);
                assertThat(query(connection, "SELECT @@sql_mode LIKE '%STRICT_TRANS%'"))
                        .isEqualTo(1);
                assertThat(query(connection, "SELECT IS_FREE_LOCK('left_over')"))
                        .isEqualTo(1);
                assertThat(query(connection, "SELECT COUNT(*) FROM kept")).isZero();
                assertThat(query(connection, "SELECT @@autocommit")).isEqualTo(1);
                assertThatThrownBy(() -> statement.execute("SELECT * FROM left_over"))
                        .isInstanceOf(SQLException.class);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void otherSettingsMakeTheConnectionAnother(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            useOnce(drivers, driver);
            String setting = "sessionVariables=sql_mode='ANSI',group_concat_max_len=77";
            for (int i = 0; i < 3; i++) {
                try (Connection connection = drivers.connect(driver, setting)) {
                    assertThat(query(connection, "SELECT @@group_concat_max_len"))
                            .isEqualTo(77);
                }
                try (Connection connection = drivers.connect(driver)) {
                    assertThat(query(connection, "SELECT @@group_concat_max_len"))
                            .isGreaterThan(1000);
                }
            }
            assertThat(drivers.pool().control().statistics().createdTotal()).isLessThanOrEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void connectionsThatDiedWhileIdleAreReplacedUnnoticed(Driver driver) throws Exception {
        Duration bypass = Duration.ofMillis(100);
        try (InProcessDrivers drivers = new InProcessDrivers(server.port(), pooling -> pooling.probeBypass(bypass));
                Connection observer = observer();
                Statement statement = observer.createStatement()) {
            try (Connection one = drivers.connect(driver);
                    Connection two = drivers.connect(driver)) {
                assertThat(query(one, "SELECT CONNECTION_ID()")).isNotEqualTo(query(two, "SELECT CONNECTION_ID()"));
            }
            long returned = System.nanoTime();
            for (var idle : drivers.pool().listConnections()) {
                statement.execute("KILL " + idle.backendConnectionId());
            }
            // Their answers to the cleaning still lie there, but are too old to prove anything.
            await().until(() -> System.nanoTime() - returned > bypass.toNanos());
            try (Connection connection = drivers.connect(driver)) {
                assertThat(query(connection, "SELECT 42")).isEqualTo(42);
                // Whoever kills this session kills this connection.
                assertThat(drivers.proxy.sessions().sessions())
                        .extracting(ProxySession::backendConnectionId)
                        .containsExactly(query(connection, "SELECT CONNECTION_ID()"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSessionThatHasLeftItsRoleOrSchemaCostsNoConnection(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            long id = useOnce(drivers, driver);
            for (int i = 0; i < 3; i++) {
                try (Connection connection = drivers.connect(driver);
                        Statement statement = connection.createStatement()) {
                    assertThat(query(connection, "SELECT CONNECTION_ID()")).isEqualTo(id);
                    assertThat(query(connection, "SELECT CURRENT_ROLE() IS NULL"))
                            .isEqualTo(1);
                    assertThat(query(connection, "SELECT DATABASE() = 'demo'")).isEqualTo(1);
                    statement.execute("SET ROLE helper");
                    statement.execute("USE information_schema");
                }
            }
            assertThat(drivers.pool().control().statistics().createdTotal()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aTrustStoreThatCannotBeReadTakesNoPlaceInThePool(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            useOnce(drivers, driver);
            drivers.tls = BackendTls.of(TlsMode.REQUIRED, false, "a trust store", () -> {
                throw new UncheckedIOException(new IOException("no trust store"));
            });
            assertThatThrownBy(() -> drivers.connect(driver)).hasStackTraceContaining("no trust store");
            assertThat(drivers.pool().control().statistics().active()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionThatAKillIsAimedAtIsNotLentAgain(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            long first;
            try (Connection connection = drivers.connect(driver)) {
                first = query(connection, "SELECT CONNECTION_ID()");
                assertThat(drivers.proxy.sessions().sessions())
                        .extracting(ProxySession::aimKill)
                        .containsExactly(first);
            }
            long second = useOnce(drivers, driver);
            assertThat(second).isNotEqualTo(first);
            // Also one that its session has not said anything on.
            try (Connection connection = drivers.connect(driver)) {
                assertThat(drivers.proxy.sessions().sessions())
                        .extracting(ProxySession::aimKill)
                        .containsExactly(second);
                assertThat(connection.isClosed()).isFalse();
            }
            assertThat(useOnce(drivers, driver)).isNotEqualTo(second);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionThatDiesInUseIsAnErrorOfItsDriver(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection observer = observer();
                Statement statement = observer.createStatement()) {
            Connection connection = drivers.connect(driver);
            statement.execute("KILL " + query(connection, "SELECT CONNECTION_ID()"));
            assertThatThrownBy(() -> query(connection, "SELECT 42"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"));
            connection.close();
            assertThat(drivers.proxy.sessions().active()).isZero();
            assertThat(drivers.pool().control().statistics().active()).isZero();
            assertThat(useOnce(drivers, driver)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void ofTwoBackendsTheOneThatIsThereServesEverybody(Driver driver) throws Exception {
        try (Socket closed = new Socket()) {
            // Taken, so that it is nobody else's, but not listening.
            closed.bind(new InetSocketAddress("127.0.0.1", 0));
            List<HostPort> backends =
                    List.of(new HostPort("127.0.0.1", closed.getLocalPort()), new HostPort("127.0.0.1", server.port()));
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try (InProcessDrivers drivers = new InProcessDrivers(
                    server.port(), "demo", "demo", UnaryOperator.identity(), address -> backends)) {
                List<Future<?>> users = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    users.add(threads.submit(() -> {
                        for (int round = 0; round < 20; round++) {
                            assertThat(useOnce(drivers, driver)).isPositive();
                            // The next one needs a new connection again.
                            drivers.pool().control().evict(info -> true);
                        }
                        return null;
                    }));
                }
                for (Future<?> user : users) {
                    user.get(60, TimeUnit.SECONDS);
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWrongPasswordIsRefusedInTheServersWords(Driver driver) throws Exception {
        try (InProcessDrivers drivers =
                new InProcessDrivers(server.port(), "demo", "wrong", UnaryOperator.identity())) {
            assertThatThrownBy(() -> drivers.connect(driver))
                    .hasMessageContaining("Access denied for user 'demo'@")
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getErrorCode()).isEqualTo(1045));
            assertThat(drivers.pool().control().statistics().active()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLimitsOfAnAccountHoldInEverySession(Driver driver) throws Exception {
        try (InProcessDrivers drivers =
                new InProcessDrivers(server.port(), "limited", "limited", UnaryOperator.identity())) {
            for (int i = 0; i < 4; i++) {
                try (Connection connection = drivers.connect(driver)) {
                    assertThat(query(connection, "SELECT @@max_statement_time")).isEqualTo(60);
                }
            }
            assertThat(drivers.pool().control().statistics().createdTotal()).isEqualTo(1);
            try (Connection first = drivers.connect(driver);
                    Connection second = drivers.connect(driver)) {
                assertThatThrownBy(() -> drivers.connect(driver))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("max_user_connections");
                assertThat(query(first, "SELECT 1")).isEqualTo(query(second, "SELECT 1"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsIdleMakesRoomAtTheBackend(Driver driver) throws Exception {
        try (InProcessDrivers drivers =
                new InProcessDrivers(server.port(), "limited", "limited", UnaryOperator.identity())) {
            for (int i = 0; i < 3; i++) {
                try (Connection first = drivers.connect(driver);
                        Connection second = drivers.connect(driver)) {
                    assertThat(query(first, "SELECT 1")).isEqualTo(query(second, "SELECT 1"));
                }
                // Two are idle, which will not do for these, and are all that the account may have.
                try (Connection first = drivers.connect(driver, "useAffectedRows=true");
                        Connection second = drivers.connect(driver, "useAffectedRows=true")) {
                    assertThat(query(first, "SELECT 1")).isEqualTo(query(second, "SELECT 1"));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFullPoolIsAnErrorWithTheNumbers(Driver driver) throws Exception {
        try (InProcessDrivers drivers = new InProcessDrivers(
                server.port(), pooling -> pooling.maxConnectionsPerAddress(1).acquireTimeout(Duration.ofMillis(50)))) {
            try (Connection held = drivers.connect(driver)) {
                assertThatThrownBy(() -> drivers.connect(driver))
                        .isInstanceOf(SQLException.class)
                        .hasStackTraceContaining("total 1 of 1, active 1, idle 0");
                assertThat(query(held, "SELECT 1")).isEqualTo(1);
            }
            assertThat(useOnce(drivers, driver)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheProxyAsksFirstIsPartOfTheSocketTimeout(Driver driver) throws Exception {
        try (InProcessDrivers drivers =
                new InProcessDrivers(server.port(), pooling -> pooling.probeBypass(Duration.ZERO))) {
            String limit = "socketTimeout=700";
            drivers.connect(driver, limit).close();
            drivers.connect(driver, limit).close();
            signal("STOP", server.process().pid());
            try {
                Throwable failure = catchThrowable(() -> {
                    // It may be all from memory up to here.
                    try (Connection connection = drivers.connect(driver, limit)) {
                        query(connection, "SELECT 1");
                    }
                });
                assertThat(failure)
                        .isInstanceOf(SQLException.class)
                        .hasRootCauseInstanceOf(SocketTimeoutException.class);
            } finally {
                signal("CONT", server.process().pid());
            }
            assertThat(useOnce(drivers, driver)).isPositive();
        }
    }

    private static void signal(String name, long pid) throws Exception {
        Process kill = new ProcessBuilder("/bin/kill", "-" + name, Long.toString(pid))
                .inheritIO()
                .start();
        assertThat(kill.waitFor()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void aReadWaitsNoLongerThanTheSocketTimeout(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers()) {
            Connection connection = drivers.connect(driver, "socketTimeout=300");
            assertThatThrownBy(() -> query(connection, "SELECT SLEEP(20)")).isInstanceOf(SQLException.class);
            connection.close();
            assertThat(drivers.pool().control().statistics().active()).isZero();
            assertThat(useOnce(drivers, driver)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStatementIsCancelledByItsVirtualConnectionId(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection connection = drivers.connect(driver);
                Connection observer = observer();
                Statement statement = connection.createStatement()) {
            long thread = query(connection, "SELECT CONNECTION_ID()");
            CompletableFuture<Long> running = CompletableFuture.supplyAsync(() -> {
                try (ResultSet row = statement.executeQuery("SELECT SLEEP(60)")) {
                    row.next();
                    return row.getLong(1);
                } catch (SQLException e) {
                    return -1L;
                }
            });
            awaitStatement(observer, thread, "SELECT SLEEP(60)");
            statement.cancel();
            assertThat(running.get(20, TimeUnit.SECONDS)).isNotZero();
            assertThat(query(connection, "SELECT CONNECTION_ID()")).isEqualTo(thread);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAbortEndsAReadOfAnotherThread(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection observer = observer()) {
            Connection connection = drivers.connect(driver);
            long thread = query(connection, "SELECT CONNECTION_ID()");
            CompletableFuture<Boolean> running = CompletableFuture.supplyAsync(() -> {
                try {
                    query(connection, "SELECT SLEEP(60)");
                    return false;
                } catch (SQLException e) {
                    return true;
                }
            });
            awaitStatement(observer, thread, "SELECT SLEEP(60)");
            connection.abort(Runnable::run);
            assertThat(running.get(20, TimeUnit.SECONDS)).isTrue();
            await().untilAsserted(() ->
                    assertThat(drivers.pool().control().statistics().active()).isZero());
            assertThat(drivers.proxy.sessions().active()).isZero();
        }
    }

    private static void awaitStatement(Connection observer, long thread, String sql) {
        await().until(() -> query(
                        observer,
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = " + thread + " AND INFO LIKE '%"
                                + sql + "%'")
                == 1);
    }

    @ParameterizedTest
    @EnumSource
    void resultsAndParametersOfAnySizePass(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection connection = drivers.connect(driver)) {
            for (int size : new int[] {1, 1000, 70_000, (16 << 20) - 2, (16 << 20) - 1, 16 << 20, 17 << 20}) {
                byte[] value = new byte[size];
                new Random(size).nextBytes(value);
                try (PreparedStatement statement = connection.prepareStatement("SELECT ?, LENGTH(?)")) {
                    statement.setBytes(1, value);
                    statement.setBytes(2, value);
                    try (ResultSet row = statement.executeQuery()) {
                        assertThat(row.next()).isTrue();
                        assertThat(Arrays.equals(row.getBytes(1), value))
                                .as("%d bytes", size)
                                .isTrue();
                        assertThat(row.getInt(2)).isEqualTo(size);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStreamOfRowsIsReadAndMayBeLeftHalfWay(Driver driver) throws Exception {
        try (InProcessDrivers drivers = drivers();
                Connection connection = drivers.connect(driver);
                Statement statement =
                        connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            statement.setFetchSize(driver == Driver.CONNECTOR_J ? Integer.MIN_VALUE : 1);
            for (long rows : new long[] {200_000, 3}) {
                try (ResultSet result = statement.executeQuery("SELECT seq, REPEAT('x', 50) FROM seq_1_to_200000")) {
                    for (long i = 1; i <= rows; i++) {
                        assertThat(result.next()).isTrue();
                        assertThat(result.getLong(1)).isEqualTo(i);
                    }
                }
            }
            assertThat(query(connection, "SELECT 42")).isEqualTo(42);
        }
    }

    @ParameterizedTest
    @EnumSource
    void batchesAreExecuted(Driver driver) throws Exception {
        String options = driver == Driver.CONNECTOR_J ? "rewriteBatchedStatements=false" : "useBulkStmts=false";
        try (InProcessDrivers drivers = drivers();
                Connection connection = drivers.connect(driver, options, "useServerPrepStmts=true")) {
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO kept VALUES (?)")) {
                for (int i = 0; i < 5000; i++) {
                    insert.setInt(1, i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(5000);
            }
            assertThat(query(connection, "SELECT COUNT(*) FROM kept")).isEqualTo(5000);
            connection.rollback();
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
}

package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.management.ConnectionInfo;
import org.tiproxy.management.ErrorCounts;
import org.tiproxy.management.ProxyView;
import org.tiproxy.testing.MariaDbServer;

/** What an operator sees and does, with real drivers and a real server. */
@Timeout(180)
@ParameterizedClass
@ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
class OperatorIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @Parameter
    String driver;

    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(4);
    private final SessionRegistry sessions = new SessionRegistry(0);
    private ProxyListener listener;
    private ProxyView proxy;

    @BeforeAll
    static void startServer() throws Exception {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
        if (server == null) {
            server = MariaDbServer.start(folder);
        }
    }

    @AfterAll
    static void stopServer() {
        server.close();
        server = null;
    }

    @BeforeEach
    void listen() throws Exception {
        listen(server.port());
    }

    private void listen(int backendPort) throws Exception {
        ProxyConfig config = TestProxyConfig.mysql(NetworkTransport.AUTO);
        HostPort backend = new HostPort("127.0.0.1", backendPort);
        listener = new ProxyListener(config, backend, BackendGate.open(), sessions, Ticker.SYSTEM, threads);
        listener.open();
        ProxyLifecycle lifecycle = new ProxyLifecycle(listener, sessions, threads);
        proxy = new ProxyView(lifecycle, sessions, listener, backend.toString(), "mysql", "AUTO");
    }

    @AfterEach
    void stop() {
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        assertThat(proxy.getSessionsInTransaction()).isZero();
        assertThat(proxy.getTlsSessions()).isZero();
        listener.shutdown();
        threads.shutdownNow();
    }

    private Connection connect() throws SQLException {
        return connect("demo");
    }

    private Connection connect(String password) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + listener.address().port() + "/demo", "demo", password);
    }

    /** Of the connection that was opened last. */
    private ConnectionInfo newestRow() {
        List<ConnectionInfo> rows = proxy.listConnections();
        return rows.get(rows.size() - 1);
    }

    private ConnectionInfo row(long id) {
        return proxy.listConnections().stream()
                .filter(row -> row.id() == id)
                .findFirst()
                .orElseThrow();
    }

    private CompletableFuture<Integer> sleep(Connection connection, int seconds) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try (Statement statement = connection.createStatement();
                            ResultSet rows = statement.executeQuery("SELECT SLEEP(" + seconds + ")")) {
                        rows.next();
                        return rows.getInt(1);
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                },
                threads);
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getLong(1);
        }
    }

    @Test
    void rowsAndGaugesFollowTheSession() throws Exception {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            ConnectionInfo row = newestRow();
            assertThat(row.user()).isEqualTo("demo");
            assertThat(row.schema()).isEqualTo("demo");
            assertThat(row.tls()).isFalse();
            assertThat(row.backendConnectionId()).isEqualTo(number(connection, "SELECT CONNECTION_ID()"));
            assertThat(row.connectionId()).isEqualTo(0x4000_0000L + row.id());

            long before = proxy.getCommandsTotal();
            statement.execute("CREATE TABLE IF NOT EXISTS seen (a INT) ENGINE=InnoDB");
            assertThat(proxy.getCommandsTotal()).isGreaterThan(before);
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO seen VALUES (1)");
            await().untilAsserted(
                            () -> assertThat(proxy.getSessionsInTransaction()).isEqualTo(1));
            assertThat(row(row.id()).transaction()).isEqualTo("ACTIVE");
            connection.commit();
            await().untilAsserted(
                            () -> assertThat(proxy.getSessionsInTransaction()).isZero());

            CompletableFuture<Integer> query = sleep(connection, 1);
            await().untilAsserted(() -> assertThat(row(row.id()).command()).isEqualTo("COM_QUERY"));
            await().untilAsserted(
                            () -> assertThat(row(row.id()).commandMillis()).isPositive());
            assertThat(query.get(30, TimeUnit.SECONDS)).isZero();
            await().untilAsserted(() -> assertThat(row(row.id()).command()).isEmpty());

            // The end takes it back, whatever is open then: see stop().
            statement.execute("INSERT INTO seen VALUES (2)");
            await().untilAsserted(
                            () -> assertThat(proxy.getSessionsInTransaction()).isEqualTo(1));
        }
    }

    @Test
    void aQueryIsInterruptedThroughAnIdleSessionOfTheSameUser() throws Exception {
        try (Connection connection = connect()) {
            long id = newestRow().id();
            try (Connection idle = connect()) {
                long begun = System.nanoTime();
                CompletableFuture<Integer> query = sleep(connection, 100);
                await().untilAsserted(() -> assertThat(row(id).command()).isEqualTo("COM_QUERY"));
                // The server may still be on its way into SLEEP; a KILL before that would be forgotten.
                await().until(() -> running(idle) == 1);
                await().until(() -> proxy.listConnections().stream()
                                .filter(row -> row.command().isEmpty())
                                .count()
                        == 1);

                assertThat(proxy.killQuery(id)).contains("KILL QUERY").contains("session " + id);

                // SLEEP returns 1, or fails, when it is interrupted; both drivers' connections go on.
                assertThat(query.handle((slept, failure) -> failure != null || slept == 1)
                                .get(30, TimeUnit.SECONDS))
                        .isTrue();
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(60));
                assertThat(number(connection, "SELECT 3")).isEqualTo(3);
                assertThat(number(idle, "SELECT 4")).isEqualTo(4);
            }
        }
    }

    private static long running(Connection connection) throws SQLException {
        return number(
                connection,
                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' AND state = 'User sleep'");
    }

    @Test
    void withoutAnIdleSessionTheOperatorIsToldWhatToDo() throws Exception {
        try (Connection connection = connect()) {
            long id = newestRow().id();
            CompletableFuture<Integer> query = sleep(connection, 1);
            await().untilAsserted(() -> assertThat(row(id).command()).isEqualTo("COM_QUERY"));
            assertThatThrownBy(() -> proxy.killQuery(id))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no other session of user 'demo' is idle")
                    .hasMessageContaining("killSession(" + id + ")");
            assertThat(query.get(30, TimeUnit.SECONDS)).isZero();
            assertThatThrownBy(() -> proxy.killQuery(id)).hasMessageContaining("executes no command");
            assertThatThrownBy(() -> proxy.killQuery(12345)).hasMessageContaining("no session 12345");
        }
    }

    @Test
    void aKilledSessionIsACommunicationsErrorAndItsStatementStops() throws Exception {
        try (Connection connection = connect()) {
            long id = newestRow().id();
            try (Connection idle = connect()) {
                CompletableFuture<Integer> query = sleep(connection, 100);
                await().until(() -> running(idle) == 1);
                await().until(() -> row(id + 1).command().isEmpty());

                assertThat(proxy.killSession(id)).isTrue();

                assertThatThrownBy(() -> query.get(30, TimeUnit.SECONDS))
                        .rootCause()
                        .satisfies(OperatorIT::isCommunicationsError);
                await().until(() -> running(idle) == 0);
                assertThat(proxy.killSession(id)).isFalse();
                assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("KILLED", 1L));
                assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(0, 0, 0));
            }
        }
    }

    @Test
    void anIdleSessionThatIsKilledIsACommunicationsErrorForItsNextStatement() throws Exception {
        try (Connection connection = connect()) {
            assertThat(proxy.killSession(newestRow().id())).isTrue();
            await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
            assertThatThrownBy(() -> number(connection, "SELECT 1")).satisfies(OperatorIT::isCommunicationsError);
            assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("KILLED", 1L));
        }
    }

    private static void isCommunicationsError(Throwable failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof SQLException)) {
            cause = cause.getCause();
        }
        assertThat(cause).isInstanceOf(SQLException.class);
        assertThat(((SQLException) cause).getSQLState()).startsWith("08");
    }

    @Test
    void aWrongPasswordIsOneAuthenticationFailureOfTheClient() {
        assertThatThrownBy(() -> connect("wrong")).hasMessageContaining("Access denied");
        assertThatThrownBy(() -> connect("wrong")).hasMessageContaining("Access denied");
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());

        assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("LOGIN_REFUSED", 2L));
        assertThat(proxy.getAuthFailuresTotal()).isEqualTo(2);
        assertThat(proxy.getHandshakeFailuresTotal()).isZero();
        assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(2, 0, 0));
    }

    @Test
    void anHttpPeerIsOneHandshakeFailureOfTheClient() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", listener.address().port())) {
            socket.setSoTimeout(30_000);
            // After the greeting, which waits for the backend; before it, the first bytes tell as well.
            assertThat(socket.getInputStream().read()).isPositive();
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        }
        assertThat(proxy.getHandshakeFailuresByReason()).isEqualTo(Map.of("SPEAKS_HTTP", 1L));
        assertThat(proxy.getHandshakeFailuresTotal()).isEqualTo(1);
        assertThat(proxy.getAuthFailuresTotal()).isZero();
        assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(1, 0, 0));
    }

    @Test
    void aBackendThatDiesIsOneErrorOfTheBackendPerSession(@TempDir Path own) throws Exception {
        MariaDbServer doomed = MariaDbServer.start(own);
        listener.shutdown();
        listen(doomed.port());
        try (Connection first = connect();
                Connection second = connect()) {
            long id = newestRow().id();
            CompletableFuture<Integer> query = sleep(second, 100);
            await().untilAsserted(() -> assertThat(row(id).command()).isEqualTo("COM_QUERY"));
            assertThat(ProcessHandle.of(doomed.process().pid())).hasValueSatisfying(ProcessHandle::destroyForcibly);

            assertThatThrownBy(() -> query.get(30, TimeUnit.SECONDS))
                    .rootCause()
                    .satisfies(OperatorIT::isCommunicationsError);
            assertThatThrownBy(() -> number(first, "SELECT 1")).satisfies(OperatorIT::isCommunicationsError);
        }
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("BACKEND_CLOSED", 2L));
        assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(0, 0, 2));

        assertThatThrownBy(this::connect).isInstanceOf(SQLException.class);
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("BACKEND_CLOSED", 2L, "BACKEND_UNAVAILABLE", 1L));
        assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(0, 0, 3));
        assertThat(proxy.getFailedTotal()).isEqualTo(1);
        doomed.close();
    }

    @Test
    void aClientThatQuitsIsNoError() throws Exception {
        connect().close();
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        assertThat(proxy.getSessionsEndedByReason()).isEqualTo(Map.of("CLIENT_QUIT", 1L));
        assertThat(proxy.getErrorsBySource()).isEqualTo(new ErrorCounts(0, 0, 0));
    }
}

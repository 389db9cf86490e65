package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.testing.MariaDbServer;

/** Real drivers through the proxy to a real server. */
@Timeout(180)
@ParameterizedClass
@ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
class MySqlSessionIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @Parameter
    String driver;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private SessionRegistry sessions;
    private ProxyListener proxy;

    @BeforeAll
    static void startServer() throws Exception {
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
        sessions = new SessionRegistry(0);
        ProxyConfig config = TestProxyConfig.mysql(NetworkTransport.AUTO);
        proxy = new ProxyListener(
                config, new HostPort("127.0.0.1", server.port()), BackendGate.open(), sessions, Ticker.SYSTEM, threads);
        proxy.open();
    }

    @AfterEach
    void close() {
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        proxy.shutdown();
        threads.shutdownNow();
    }

    private Connection connect(String options) throws SQLException {
        return connect("demo", options);
    }

    private Connection connect(String password, String options) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + proxy.address().port() + "/demo?" + options, "demo", password);
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getLong(1);
        }
    }

    @Test
    void aWrongPasswordGetsTheServersOwnError() {
        assertThatThrownBy(() -> connect("wrong", ""))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'demo'");
    }

    @Test
    void theSessionShowsWhoIsConnectedAndWhatItDoes() throws Exception {
        try (Connection connection = connect("");
                Statement statement = connection.createStatement()) {
            ProxySession session = sessions.sessions().iterator().next();
            assertThat(session.user()).isEqualTo("demo");
            assertThat(session.schema()).isEqualTo("demo");
            assertThat(session.backend()).isEqualTo(new HostPort("127.0.0.1", server.port()));

            statement.execute("CREATE TABLE IF NOT EXISTS seen (a INT) ENGINE=InnoDB");
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO seen VALUES (1)");
            await().untilAsserted(() -> assertThat(session.transaction()).isEqualTo("ACTIVE"));
            connection.rollback();
            await().untilAsserted(() -> assertThat(session.transaction()).isEqualTo("NONE"));
            await().untilAsserted(() -> assertThat(session.command()).isEmpty());
        }
    }

    @Test
    void preparedStatementsWithServerSideParametersAndBatches() throws Exception {
        String options = driver.equals("jdbc:mysql")
                ? "useServerPrepStmts=true&cachePrepStmts=true&rewriteBatchedStatements=true"
                : "useServerPrepStmts=true&useBulkStmts=true";
        try (Connection connection = connect(options);
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS batch");
            statement.execute(
                    "CREATE TABLE batch (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), amount DOUBLE)");
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO batch (name, amount) VALUES (?, ?)")) {
                for (int i = 0; i < 5000; i++) {
                    insert.setString(1, "name " + i);
                    insert.setDouble(2, i / 4.0);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            try (PreparedStatement select =
                    connection.prepareStatement("SELECT COUNT(*), SUM(amount) FROM batch WHERE amount >= ?")) {
                select.setDouble(1, 10.0);
                try (ResultSet rows = select.executeQuery()) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getInt(1)).isEqualTo(4960);
                }
            }
        }
    }

    @Test
    void valuesAroundTheLargestPacketPassInBothDirections() throws Exception {
        try (Connection connection = connect("useServerPrepStmts=true");
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS big");
            statement.execute("CREATE TABLE big (id INT PRIMARY KEY, content LONGBLOB)");
            // The server's own limit: max_allowed_packet is 16 MiB by default, so stay below it on the way in.
            byte[] content = new byte[12 << 20];
            Arrays.fill(content, (byte) 0xfe);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO big VALUES (1, ?)")) {
                insert.setBytes(1, content);
                insert.executeUpdate();
            }
            for (int extra = -2; extra <= 2; extra++) {
                // A row of two columns: 4 bytes for the first one's length, its bytes, and "1" with its length.
                int length = (1 << 24) - 1 + extra - 6;
                try (ResultSet rows = statement.executeQuery("SELECT REPEAT('x', " + length + "), 1")) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).hasSize(length);
                }
                assertThat(number(connection, "SELECT 7")).isEqualTo(7);
            }
            try (ResultSet rows = statement.executeQuery("SELECT content FROM big")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getBytes(1)).isEqualTo(content);
            }
        }
    }

    @Test
    void severalStatementsAndProcedureResultsInOneAnswer() throws Exception {
        try (Connection connection = connect("allowMultiQueries=true");
                Statement statement = connection.createStatement()) {
            statement.execute("DROP PROCEDURE IF EXISTS two_results");
            statement.execute("CREATE PROCEDURE two_results() BEGIN SELECT 1; SELECT 2, 3; END");
            assertThat(statement.execute("SELECT 10; CALL two_results(); SELECT 20"))
                    .isTrue();
            int results = 0;
            do {
                try (ResultSet rows = statement.getResultSet()) {
                    results += rows == null ? 0 : 1;
                }
            } while (statement.getMoreResults() || statement.getUpdateCount() != -1);
            assertThat(results).isEqualTo(4);
        }
    }

    @Test
    void rowsStreamAndCursorsFetch() throws Exception {
        String options =
                driver.equals("jdbc:mysql") ? "useCursorFetch=true&defaultFetchSize=100" : "defaultFetchSize=100";
        try (Connection connection = connect(options);
                PreparedStatement select = connection.prepareStatement("SELECT seq FROM seq_1_to_20000")) {
            long sum = 0;
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    sum += rows.getLong(1);
                }
            }
            assertThat(sum).isEqualTo(200_010_000L);
            // Closed half-way.
            try (ResultSet rows = select.executeQuery()) {
                assertThat(rows.next()).isTrue();
            }
            assertThat(number(connection, "SELECT 5")).isEqualTo(5);
        }
    }

    @Test
    void loadDataLocalSendsAFile() throws Exception {
        Path file = folder.resolve("rows.csv");
        Files.writeString(file, "1,one\n2,two\n3,three\n");
        String options = driver.equals("jdbc:mysql") ? "allowLoadLocalInfile=true" : "allowLocalInfile=true";
        try (Connection connection = connect(options);
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS loaded");
            statement.execute("CREATE TABLE loaded (id INT, name VARCHAR(20))");
            statement.execute("LOAD DATA LOCAL INFILE '" + file + "' INTO TABLE loaded FIELDS TERMINATED BY ','");
            assertThat(number(connection, "SELECT COUNT(*) FROM loaded")).isEqualTo(3);
        }
    }

    @Test
    void aQueryIsCancelledThroughTheIdThatTheClientWasGiven() throws Exception {
        try (Connection connection = connect("");
                Statement statement = connection.createStatement()) {
            ProxySession session = sessions.sessions().iterator().next();
            CompletableFuture<Boolean> query = CompletableFuture.supplyAsync(() -> interrupted(statement), threads);
            await().until(() -> session.command().equals("COM_QUERY"));
            statement.cancel();
            assertThat(query.get(30, TimeUnit.SECONDS)).isTrue();
            assertThat(number(connection, "SELECT 3")).isEqualTo(3);
        }
    }

    /** SLEEP returns 1, or fails, when it is interrupted. */
    private static boolean interrupted(Statement statement) {
        try (ResultSet rows = statement.executeQuery("SELECT SLEEP(100)")) {
            return rows.next() && rows.getInt(1) == 1;
        } catch (SQLException e) {
            return true;
        }
    }

    @Test
    void aKilledBackendConnectionIsACommunicationsErrorForTheClient() throws Exception {
        try (Connection connection = connect("");
                Connection other = connect("");
                Statement killer = other.createStatement()) {
            long backendId = number(connection, "SELECT CONNECTION_ID()");
            killer.execute("KILL " + backendId);
            assertThatThrownBy(() -> number(connection, "SELECT 1"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"));
        }
    }

    @Test
    void largeResultsPassWithBoundedMemory() throws Exception {
        try (Connection connection = connect("");
                Statement statement =
                        connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            statement.setFetchSize(driver.equals("jdbc:mysql") ? Integer.MIN_VALUE : 100);
            long bytes = 0;
            try (ResultSet rows = statement.executeQuery("SELECT REPEAT('y', 10000) FROM seq_1_to_20000")) {
                while (rows.next()) {
                    bytes += rows.getString(1).length();
                }
            }
            assertThat(bytes).isEqualTo(200_000_000L);
        }
    }

    @Test
    void somebodyWhoDoesNotSpeakMySqlIsToldAndClosed() throws Exception {
        try (java.net.Socket socket =
                new java.net.Socket("127.0.0.1", proxy.address().port())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            assertThat(new ByteArrayInputStream(in.readAllBytes()).available()).isGreaterThanOrEqualTo(0);
        }
    }
}

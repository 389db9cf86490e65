package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.common.Secret;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * Users with different rights take turns over one connection to a real server: nothing of one is seen by the other, and
 * a used connection cannot be told from a new one.
 */
@Timeout(240)
@ParameterizedClass
@CsvSource({
    "jdbc:mariadb, known",
    "jdbc:mysql, known",
    "jdbc:mariadb, hashed",
    "jdbc:mariadb, pass-through",
    "jdbc:mysql, pass-through"
})
class PooledSessionIT {
    /** What is allowed to differ: ids, clocks, and what the driver's attributes are made of. */
    private static final List<String> VARIES = List.of("pseudo_thread_id", "timestamp", "rand_seed1", "rand_seed2");

    private static final List<String> QUESTIONS = List.of(
            "SELECT CURRENT_USER(), USER(), CURRENT_ROLE(), DATABASE()",
            "SELECT @a, @b, @secret",
            "SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()",
            "SELECT IS_USED_LOCK('lock_a'), IS_FREE_LOCK('lock_b'), IS_FREE_LOCK('lock_a')",
            "SHOW PROFILES",
            "SELECT * FROM information_schema.enabled_roles",
            "SELECT * FROM information_schema.applicable_roles",
            "SELECT COUNT(*) FROM information_schema.innodb_trx",
            "SHOW WARNINGS",
            "SHOW GRANTS",
            "SHOW DATABASES",
            "SHOW FULL TABLES",
            "SELECT @@collation_connection, @@collation_database, @@character_set_results, @@in_transaction",
            "SELECT * FROM temporary_a",
            "SELECT * FROM secrets.of_a",
            "SELECT * FROM secrets.of_b",
            "EXECUTE text_statement",
            "SELECT LASTVAL(demo.numbers)",
            "SELECT 1; SELECT 2",
            "SELECT COUNT (*) FROM demo.plain",
            "SELECT \"quoted\"",
            "INSERT INTO demo.plain VALUES (7)",
            "DELETE FROM demo.plain WHERE x = 7",
            "SHOW SESSION STATUS LIKE 'Com_create_table'",
            "SHOW SESSION STATUS LIKE 'Prepared_stmt_count'",
            "HANDLER h READ FIRST");

    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @Parameter(0)
    String driver;

    @Parameter(1)
    String mode;

    private PooledProxy proxy;

    @BeforeAll
    static void startServer() throws Exception {
        if (server != null) {
            return;
        }
        server = MariaDbServer.start(folder);
        BackendCredentials root = BackendCredentials.ofPassword(System.getProperty("user.name"), new Secret(""));
        BackendRequest request =
                new BackendRequest(PoolKey.ofUser(root.user(), Packets.CLIENT_CAPABILITIES, 45), "", root, false);
        Path socket = folder.resolve("data").resolve("mariadb.sock");
        try (BlockingBackend admin = new BlockingBackend(UnixDomainSocketAddress.of(socket), request)) {
            for (String sql : List.of(
                    "CREATE DATABASE secrets",
                    "CREATE TABLE secrets.of_a (x VARCHAR(20))",
                    "CREATE TABLE secrets.of_b (x VARCHAR(20))",
                    "INSERT INTO secrets.of_a VALUES ('of a')",
                    "INSERT INTO secrets.of_b VALUES ('of b')",
                    "CREATE TABLE demo.plain (x INT)",
                    "CREATE SEQUENCE demo.numbers",
                    "CREATE ROLE role_a, role_b, other_a",
                    "GRANT SELECT ON secrets.of_a TO role_a",
                    "GRANT SELECT ON secrets.of_b TO role_b",
                    "CREATE USER a@'127.0.0.1' IDENTIFIED BY 'pass of a', b@'127.0.0.1' IDENTIFIED BY 'pass of b'",
                    "GRANT ALL ON demo.* TO a@'127.0.0.1', b@'127.0.0.1'",
                    "GRANT RELOAD, PROCESS ON *.* TO a@'127.0.0.1', b@'127.0.0.1'",
                    "GRANT role_a TO a@'127.0.0.1'",
                    "GRANT other_a TO a@'127.0.0.1'",
                    "GRANT role_b TO b@'127.0.0.1'",
                    "SET DEFAULT ROLE role_a FOR a@'127.0.0.1'")) {
                admin.execute(sql);
            }
        }
    }

    @AfterAll
    static void stopServer() {
        server.close();
        server = null;
    }

    @BeforeEach
    void listen() throws Exception {
        UserStore users = switch (mode) {
            case "known" ->
                new KnownUsers(List.of(
                        KnownUser.withPassword("a", new Secret("pass of a")),
                        KnownUser.withPassword("b", AuthPluginName.MYSQL_NATIVE_PASSWORD, new Secret("pass of b"))));
            case "hashed" -> new KnownUsers(List.of(hashed("a", "pass of a"), hashed("b", "pass of b")));
            default -> null;
        };
        proxy = new PooledProxy(users, new InetSocketAddress("127.0.0.1", server.port()), true);
    }

    private static KnownUser hashed(String name, String password) {
        return KnownUser.withNativeHash(name, MysqlNativePassword.storedHash(org.tiproxy.wire.Bytes.ofUtf8(password)));
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
    }

    private Connection connect(String user, String path) throws SQLException {
        return connect(proxy.port(), user, "pass of " + user, path);
    }

    private Connection connect(int port, String user, String password, String path) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + port + "/" + path + (path.contains("?") ? "&" : "?") + "sslMode=disable"
                        + (driver.contains("mysql") ? "d" : ""),
                user,
                password);
    }

    private static void run(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** Everything that a session can be asked, with errors as answers. */
    private static Map<String, String> answers(Connection connection) {
        Map<String, String> answers = new LinkedHashMap<>();
        ask(connection, "SHOW SESSION VARIABLES").forEach(row -> {
            String name = row.substring(1, row.indexOf(','));
            if (!VARIES.contains(name)) {
                answers.put(name, row);
            }
        });
        for (String question : QUESTIONS) {
            answers.put(question, ask(connection, question).toString());
        }
        return answers;
    }

    private static List<String> ask(Connection connection, String sql) {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return List.of(statement.getUpdateCount() + " changed");
            }
            try (ResultSet result = statement.getResultSet()) {
                while (result.next()) {
                    List<String> row = new ArrayList<>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.add(result.getString(i));
                    }
                    rows.add(row.toString().replace(", ", ","));
                }
            }
        } catch (SQLException e) {
            // The driver puts the connection's id in front.
            rows.add(e.getErrorCode() + " " + String.valueOf(e.getMessage()).replaceAll("\\(conn=\\d+\\) ", ""));
        }
        return rows;
    }

    /** Leaves behind whatever a session can leave behind, and does not tidy up. */
    private void makeAMess(Connection connection) throws SQLException {
        run(
                connection,
                "SET @a = 1, @b = 'two', @secret = 'of a'",
                "CREATE TEMPORARY TABLE demo.temporary_a (x INT)",
                "INSERT INTO demo.temporary_a VALUES (1)",
                "PREPARE text_statement FROM 'SELECT \"secret of a\"'",
                "DO GET_LOCK('lock_a', 0), GET_LOCK('lock_b', 0)",
                "SELECT NEXTVAL(demo.numbers)",
                "SET NAMES latin1 COLLATE latin1_german1_ci",
                "SET SESSION sql_mode = 'ANSI,ORACLE', wait_timeout = 1234, time_zone = '+09:00', sql_select_limit = 2",
                "SET SESSION session_track_state_change = ON, session_track_schema = OFF, max_statement_time = 1000",
                "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                "SET SESSION tx_read_only = ON",
                "SET SESSION tx_read_only = OFF, autocommit = 0, foreign_key_checks = 0, unique_checks = 0",
                "SET insert_id = 99, timestamp = 12345, lc_time_names = 'de_DE', group_concat_max_len = 17",
                "SELECT LAST_INSERT_ID(4711)",
                "HANDLER demo.plain OPEN AS h",
                "USE information_schema",
                "INSERT INTO demo.plain VALUES (1)");
        PreparedStatement prepared = connection.prepareStatement("SELECT ?");
        prepared.setInt(1, 1);
        prepared.executeQuery();
    }

    @Test
    void aUsedConnectionAnswersLikeANewOne() throws Exception {
        String path = "demo?useServerPrepStmts=true";
        Map<String, String> direct;
        try (Connection connection = connect(server.port(), "a", "pass of a", path)) {
            direct = answers(connection);
        }
        Map<String, String> first;
        try (Connection connection = connect("a", path)) {
            first = answers(connection);
        }
        Connection messy = connect("a", path);
        makeAMess(messy);
        run(messy, "SET ROLE other_a");
        messy.close();
        long id = proxy.idleThreadId();
        assertThat(id).isNotZero();
        Map<String, String> again;
        try (Connection connection = connect("a", path)) {
            again = answers(connection);
        }

        assertThat(proxy.idleThreadId()).isEqualTo(id);
        assertThat(proxy.opened).hasValue(1);
        assertThat(first).containsExactlyEntriesOf(direct);
        assertThat(again).containsExactlyEntriesOf(direct);
        assertThat(direct).hasSizeGreaterThan(500);
        assertThat(direct.get("SELECT * FROM secrets.of_a")).isEqualTo("[[of a]]");
    }

    @Test
    void usersWhoTakeTurnsSeeNothingOfEachOther() throws Exception {
        String path = "demo?useServerPrepStmts=true";
        Map<String, String> directA;
        Map<String, String> directB;
        try (Connection connection = connect(server.port(), "a", "pass of a", path)) {
            directA = answers(connection);
        }
        try (Connection connection = connect(server.port(), "b", "pass of b", path)) {
            directB = answers(connection);
        }
        assertThat(directB.get("SELECT * FROM secrets.of_a")).contains("denied");
        for (int turn = 0; turn < 3; turn++) {
            Connection a = connect("a", path);
            assertThat(answers(a)).containsExactlyEntriesOf(directA);
            makeAMess(a);
            a.close();
            Connection b = connect("b", path);
            assertThat(answers(b)).containsExactlyEntriesOf(directB);
            makeAMess(b);
            run(b, "SET ROLE role_b", "SELECT * FROM secrets.of_b");
            b.close();
        }
        proxy.awaitReturn();
        assertThat(proxy.opened).hasValue(1);
        assertThat(proxy.reused).hasValue(5);
    }

    @Test
    void schemaAndItsAbsenceAreTheNextLoginsOwn() throws Exception {
        connect("a", "demo").close();
        try (Connection connection = connect("a", "")) {
            assertThat(ask(connection, "SELECT DATABASE()")).containsExactly("[null]");
            run(connection, "USE information_schema");
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT DATABASE()")).containsExactly("[demo]");
        }
        assertThatThrownBy(() -> connect("a", "secret_plans"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'a'@'127.0.0.1' to database 'secret_plans'");
        connect("a", "demo").close();
    }

    @Test
    void locksAndTransactionsEndWithTheSession() throws Exception {
        try (Connection connection = connect("a", "demo")) {
            run(connection, "LOCK TABLES plain WRITE");
        }
        proxy.awaitReturn();
        try (Connection direct = connect(server.port(), "b", "pass of b", "demo")) {
            run(direct, "SET lock_wait_timeout = 5", "INSERT INTO plain VALUES (2)", "DELETE FROM plain");
        }
        try (Connection connection = connect("a", "demo")) {
            connection.setAutoCommit(false);
            run(connection, "INSERT INTO plain VALUES (3)");
        }
        proxy.awaitReturn();
        try (Connection direct = connect(server.port(), "b", "pass of b", "demo")) {
            assertThat(ask(direct, "SELECT COUNT(*) FROM plain")).containsExactly("[0]");
        }
        assertThat(proxy.opened).hasValue(1);
    }

    @Test
    void severalStatementsPerQueryAreTheClientsOwnChoice() throws Exception {
        String option = "demo?allowMultiQueries=true";
        try (Connection connection = connect("a", option)) {
            run(connection, "DO 1; DO 2");
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "DO 1; DO 2").toString()).contains("syntax");
        }
    }

    @Test
    void profilesAreNotShown() throws Exception {
        try (Connection connection = connect("a", "demo")) {
            run(connection, "SET profiling = 1", "SELECT 'secret of a'", "SET profiling = 0");
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SHOW PROFILES")).isEmpty();
        }
        proxy.awaitReturn();
        assertThat(proxy.opened).hasValue(2);
    }

    @Test
    void aWrongPasswordIsRefusedInTheServersWords() throws Exception {
        connect("a", "demo").close();
        for (String user : List.of("a", "nobody")) {
            assertThatThrownBy(() -> connect(proxy.port(), user, "wrong", "demo"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("Access denied for user '" + user + "'@'127.0.0.1' (using password: YES)");
            assertThatThrownBy(() -> connect(proxy.port(), user, "", "demo"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("Access denied for user '" + user + "'@'127.0.0.1' (using password: NO)");
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void aConnectionThatDiedInThePoolIsReplaced() throws Exception {
        connect("a", "demo").close();
        long id = proxy.idleThreadId();
        try (Connection direct = connect(server.port(), "a", "pass of a", "demo")) {
            run(direct, "KILL " + id);
        }
        if (!mode.equals("pass-through")) {
            // Whether a connection still lives is for the pool to find out before it lends one.
            proxy.evict();
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void aClientThatVanishesInTheMiddleCostsTheConnection() throws Exception {
        Connection connection = connect("a", "demo?useCursorFetch=true&defaultFetchSize=1");
        Statement statement = connection.createStatement();
        statement.setFetchSize(1);
        statement.executeQuery("SELECT seq FROM seq_1_to_1000000");
        connection.abort(Runnable::run);
        try (Connection next = connect("b", "demo")) {
            assertThat(ask(next, "SELECT CURRENT_USER()")).containsExactly("[b@127.0.0.1]");
        }
        proxy.awaitReturn();
        assertThat(proxy.releases)
                .anySatisfy(release ->
                        assertThat(release.reusable()).as(release.reason()).isFalse());
    }
}

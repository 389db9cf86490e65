package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.tiproxy.testing.SessionTraces.answers;
import static org.tiproxy.testing.SessionTraces.ask;
import static org.tiproxy.testing.SessionTraces.makeAMess;
import static org.tiproxy.testing.SessionTraces.run;

import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.SessionTraces;
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
            for (String sql : SessionTraces.ACCOUNTS) {
                admin.execute(sql);
            }
            // Another one than wait_timeout.
            admin.execute("SET GLOBAL interactive_timeout = 4321");
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

    @ParameterizedTest
    @ValueSource(strings = {"demo", "greek", ""})
    void aConnectionAnswersLikeANewOneWhateverItsLastSessionDid(String schema) throws Exception {
        Map<String, String> direct;
        try (Connection connection = connect(server.port(), "a", "pass of a", schema)) {
            direct = answers(connection);
        }
        assertThat(direct.get("SELECT * FROM secrets.of_a")).isEqualTo("[[of a]]");
        for (String sql : SessionTraces.SUBTLE_TRACES) {
            try (Connection connection = connect("a", schema)) {
                ask(connection, sql);
            }
            try (Connection connection = connect("a", schema)) {
                assertThat(answers(connection)).as(sql).containsExactlyEntriesOf(direct);
            }
        }
        proxy.awaitReturn();
        // What was profiled cannot be forgotten.
        assertThat(proxy.opened).hasValue(2);
    }

    @Test
    void anInteractiveSessionHasItsTimeoutAgain() throws Exception {
        if (!driver.contains("mysql")) {
            // The other driver cannot be one.
            return;
        }
        for (int visit = 0; visit < 4; visit++) {
            try (Connection connection = connect("a", "demo?interactiveClient=true")) {
                assertThat(ask(connection, "SELECT @@wait_timeout")).containsExactly("[4321]");
            }
        }
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

package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.tiproxy.testing.SessionTraces.answers;
import static org.tiproxy.testing.SessionTraces.ask;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;
import org.tiproxy.net.tls.TlsFiles;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.PoolStatistics;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.KnownUsers;

/** Real drivers over pooled connections to a real server that is not MariaDB. */
abstract class PooledForeignServer {
    private static final String PATH = "demo?useServerPrepStmts=true";

    @Parameter(0)
    String driver;

    @Parameter(1)
    String mode;

    /** Whether the proxy speaks TLS with the server. */
    @Parameter(2)
    String leg;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SessionRegistry sessions = new SessionRegistry(0);
    private ProxyTls tls;
    private ProxyListener proxy;
    private PoolControl pool;

    /** Where the server listens. */
    abstract int port();

    /** What user a can leave behind, one session each. */
    abstract List<String> traces();

    /** Leaves behind whatever a session can leave behind. */
    abstract void makeAMess(Connection connection) throws SQLException;

    /** Whether it says how many commands it has been sent. */
    abstract boolean countsCommands();

    @BeforeEach
    void listen() throws Exception {
        ProxyConfig config = TestProxyConfig.mysql(NetworkTransport.AUTO);
        KnownUsers users = new KnownUsers(List.of(
                KnownUser.withPassword("demo", new Secret("demo")),
                KnownUser.withPassword("a", new Secret("pass of a")),
                KnownUser.withPassword("b", new Secret("pass of b")),
                KnownUser.withPassword("admin", new Secret("not the server's"))));
        PoolConfig bounds = PoolConfig.builder()
                .name("default")
                .maxConnectionsPerAddress(1)
                .failFast(true)
                .build();
        SqlTls sqlTls = leg.equals("tls")
                ? new SqlTls(new TlsFiles(null, null, null), false, false, List.of("TLSv1.3", "TLSv1.2"))
                : null;
        tls = ProxyTls.open(new SecurityConfig(null, sqlTls, false, false));
        proxy = new ProxyListener(
                config,
                new PoolingConfig(PoolingConfig.Mode.SESSION, bounds, false, isKnown() ? users : null),
                new HostPort("127.0.0.1", port()),
                BackendGate.open(),
                sessions,
                Ticker.SYSTEM,
                threads,
                tls);
        proxy.open();
        pool = Objects.requireNonNull(proxy.sharedConnections()).control();
    }

    @AfterEach
    void close() {
        if (proxy != null) {
            try {
                await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
                await().untilAsserted(
                                () -> assertThat(pool.statistics().active()).isZero());
            } finally {
                proxy.shutdown();
                tls.close();
                threads.shutdownNow();
            }
        }
    }

    private boolean isKnown() {
        return mode.equals("known");
    }

    private Connection connect(int port, String user, String password, String path) throws SQLException {
        String plain = driver.equals("jdbc:mysql")
                ? "sslMode=DISABLED&allowPublicKeyRetrieval=true"
                : "sslMode=disable&allowPublicKeyRetrieval=true";
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + port + "/" + path + (path.contains("?") ? "&" : "?") + plain,
                user,
                password);
    }

    private Connection connect(String user, String path) throws SQLException {
        return connect(proxy.address().port(), user, "pass of " + user, path);
    }

    private Connection direct(String user, String path) throws SQLException {
        return connect(port(), user, "pass of " + user, path);
    }

    private PoolStatistics atRest() {
        await().untilAsserted(() -> assertThat(pool.statistics().active()).isZero());
        return pool.statistics();
    }

    private Map<String, String> answersOfDirect(String user) throws SQLException {
        try (Connection connection = direct(user, PATH)) {
            return answers(connection);
        }
    }

    @Test
    void aUsedConnectionAnswersLikeANewOne() throws Exception {
        Map<String, String> direct = answersOfDirect("a");
        for (int i = 0; i < 3; i++) {
            Connection messy = connect("a", PATH);
            makeAMess(messy);
            messy.close();
            try (Connection connection = connect("a", PATH)) {
                assertThat(answers(connection)).containsExactlyEntriesOf(direct);
            }
        }
        PoolStatistics numbers = atRest();
        assertThat(numbers.createdTotal())
                .as(String.valueOf(numbers.lastFailure()))
                .isEqualTo(1);
    }

    @Test
    void nothingSubtleIsLeftBehind() throws Exception {
        Map<String, String> direct = answersOfDirect("a");
        for (String trace : traces()) {
            try (Connection connection = connect("a", PATH);
                    Statement statement = connection.createStatement()) {
                statement.execute(trace);
            }
            try (Connection connection = connect("a", PATH)) {
                assertThat(answers(connection)).as("after " + trace).containsExactlyEntriesOf(direct);
            }
            assertThat(atRest().createdTotal()).as("connections after " + trace).isEqualTo(1);
        }
        assertThat(pool.statistics().brokenTotal())
                .as(String.valueOf(pool.statistics().lastFailure()))
                .isZero();
    }

    @Test
    void usersWhoTakeTurnsSeeNothingOfEachOther() throws Exception {
        Map<String, String> directA = answersOfDirect("a");
        Map<String, String> directB = answersOfDirect("b");
        for (int turn = 0; turn < 3; turn++) {
            try (Connection a = connect("a", PATH)) {
                assertThat(answers(a)).containsExactlyEntriesOf(directA);
                makeAMess(a);
            }
            try (Connection b = connect("b", PATH);
                    Statement statement = b.createStatement()) {
                assertThat(answers(b)).containsExactlyEntriesOf(directB);
                statement.execute("SET ROLE role_b");
                assertThat(ask(b, "SELECT * FROM secrets.of_b")).containsExactly("[of b]");
            }
        }
        assertThat(atRest().createdTotal()).isEqualTo(isKnown() ? 6 : 1);
    }

    @Test
    void aWrongPasswordIsRefusedInTheServersWords() throws Exception {
        connect("a", "demo").close();
        assertThatThrownBy(() -> connect(proxy.address().port(), "b", "wrong", "demo"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'b'@'127.0.0.1' (using password: YES)");
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void aSchemaThatMayNotBeUsedIsRefusedInTheServersWords() throws Exception {
        connect("a", "demo").close();
        assertThatThrownBy(() -> connect("a", "mysql"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'a'@'127.0.0.1' to database 'mysql'");
        connect("a", "demo").close();
    }

    @Test
    void anOpeningThatIsRepeatedCausesNoTraffic() throws Exception {
        Assumptions.assumeTrue(isKnown() && countsCommands());
        try (Connection observer = DriverManager.getConnection(
                "jdbc:mysql://127.0.0.1:" + port() + "/?sslMode=REQUIRED", "admin", "admin")) {
            for (int i = 0; i < 2; i++) {
                try (Connection connection = connect("a", "demo")) {
                    ask(connection, "SELECT 1");
                }
                atRest();
            }
            String questions = "SHOW GLOBAL STATUS LIKE 'Questions'";
            long before = Long.parseLong(ask(observer, questions).get(0).replaceAll("\\D", ""));
            try (Connection connection = connect("a", "demo")) {
                assertThat(connection.isClosed()).isFalse();
                assertThat(ask(observer, questions)).containsExactly("[Questions," + (before + 1) + "]");
                assertThat(ask(connection, "SELECT 41 + 1")).containsExactly("[42]");
            }
        }
        assertThat(atRest().createdTotal()).isEqualTo(1);
    }
}

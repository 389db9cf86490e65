package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.tiproxy.testing.SessionTraces.answers;
import static org.tiproxy.testing.SessionTraces.ask;
import static org.tiproxy.testing.SessionTraces.makeAMess;
import static org.tiproxy.testing.SessionTraces.run;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionKiller;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.PoolStatistics;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.KnownUsers;
import org.tiproxy.session.StatementOutcome;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.SessionTraces;

/** Real drivers over pooled connections to a real server. */
@Timeout(240)
@ParameterizedClass
@CsvSource({
    "jdbc:mariadb, known, AUTO",
    "jdbc:mysql, known, NIO",
    "jdbc:mariadb, pass-through, NIO",
    "jdbc:mysql, pass-through, AUTO"
})
class PooledMySqlSessionIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @Parameter(0)
    String driver;

    @Parameter(1)
    String mode;

    @Parameter(2)
    NetworkTransport transport;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SessionRegistry sessions = new SessionRegistry(0);
    private ProxyListener proxy;
    private PoolControl pool;

    @BeforeAll
    static void startServer() throws Exception {
        if (server != null) {
            return;
        }
        server = MariaDbServer.start(folder, "--init-file=" + SessionTraces.writeAdministrator(folder));
        try (Connection admin = admin()) {
            run(admin, SessionTraces.ACCOUNTS.toArray(String[]::new));
            run(
                    admin,
                    "CREATE USER limited@'127.0.0.1' IDENTIFIED BY 'pass of limited'"
                            + " WITH MAX_STATEMENT_TIME 60 MAX_USER_CONNECTIONS 2");
        }
    }

    /** An administrator's connection, not through the proxy. */
    private static Connection admin() throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + server.port() + "/", "admin", "admin");
    }

    @AfterAll
    static void stopServer() {
        server.close();
        server = null;
    }

    @BeforeEach
    void listen() throws Exception {
        listen(config -> config);
    }

    private void listen(UnaryOperator<PoolConfig.Builder> pooling) throws Exception {
        listen(pooling, BackendGate.open());
    }

    private void listen(UnaryOperator<PoolConfig.Builder> pooling, BackendGate gate) throws Exception {
        if (proxy != null) {
            proxy.shutdown();
        }
        ProxyConfig config = TestProxyConfig.mysql(transport);
        KnownUsers users = new KnownUsers(List.of(
                KnownUser.withPassword("demo", new Secret("demo")),
                KnownUser.withPassword("a", new Secret("pass of a")),
                KnownUser.withPassword("b", new Secret("pass of b")),
                KnownUser.withPassword("limited", new Secret("pass of limited")),
                KnownUser.withPassword("wrong", new Secret("not the server's"))));
        PoolConfig bounds = pooling.apply(PoolConfig.builder()
                        .name("default")
                        .maxConnectionsPerAddress(4)
                        .failFast(true))
                .build();
        proxy = new ProxyListener(
                config,
                new PoolingConfig(PoolingConfig.Mode.SESSION, bounds, false, mode.equals("known") ? users : null),
                new HostPort("127.0.0.1", server.port()),
                gate,
                sessions,
                Ticker.SYSTEM,
                threads,
                org.tiproxy.net.tls.ProxyTls.none());
        proxy.open();
        pool = Objects.requireNonNull(proxy.sharedConnections()).control();
    }

    @AfterEach
    void close() {
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        await().untilAsserted(() -> assertThat(pool.statistics().active()).isZero());
        proxy.shutdown();
        threads.shutdownNow();
    }

    private Connection connect(String user, String password, String path) throws SQLException {
        return connect(proxy.address().port(), user, password, path);
    }

    private Connection connect(int port, String user, String password, String path) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + port + "/" + path + (path.contains("?") ? "&" : "?") + "sslMode=disable"
                        + (driver.contains("mysql") ? "d" : ""),
                user,
                password);
    }

    private Connection connect() throws SQLException {
        return connect("demo", "demo", "demo");
    }

    private Connection connect(String user, String path) throws SQLException {
        return connect(user, "pass of " + user, path);
    }

    private Connection direct(String user, String path) throws SQLException {
        return connect(server.port(), user, "pass of " + user, path);
    }

    /** Waits until all connections are back in the pool. */
    private PoolStatistics atRest() {
        await().untilAsserted(() -> assertThat(pool.statistics().active()).isZero());
        return pool.statistics();
    }

    @Test
    void aThousandShortClientsShareAHandfulOfConnections() throws Exception {
        List<Future<?>> clients = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            clients.add(threads.submit(() -> {
                for (int j = 0; j < 250; j++) {
                    try (Connection connection = connect()) {
                        assertThat(ask(connection, "SELECT " + j)).containsExactly("[" + j + "]");
                    }
                }
                return null;
            }));
        }
        for (Future<?> client : clients) {
            client.get();
        }

        PoolStatistics numbers = atRest();
        assertThat(numbers.acquiredTotal()).isEqualTo(1000);
        assertThat(numbers.createdTotal()).isLessThanOrEqualTo(4);
        assertThat(numbers.total()).isLessThanOrEqualTo(4);
        assertThat(numbers.brokenTotal())
                .as(String.valueOf(numbers.lastFailure()))
                .isZero();
    }

    @Test
    void aUsedConnectionAnswersLikeANewOne() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        String path = "demo?useServerPrepStmts=true";
        Map<String, String> direct;
        try (Connection connection = direct("a", path)) {
            direct = answers(connection);
        }
        for (String trace : List.of("SELECT 1", "SELECT 1", "SET ROLE other_a", "SELECT demo.other_role()")) {
            Connection messy = connect("a", path);
            makeAMess(messy);
            run(messy, trace);
            messy.close();
            try (Connection connection = connect("a", path)) {
                assertThat(answers(connection)).as(trace).containsExactlyEntriesOf(direct);
            }
        }

        assertThat(atRest().createdTotal()).isEqualTo(1);
        assertThat(pool.statistics().reusedTotal()).isEqualTo(7);
    }

    @Test
    void usersWhoTakeTurnsSeeNothingOfEachOther() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        String path = "demo?useServerPrepStmts=true";
        Map<String, String> directA;
        Map<String, String> directB;
        try (Connection connection = direct("a", path)) {
            directA = answers(connection);
        }
        try (Connection connection = direct("b", path)) {
            directB = answers(connection);
        }
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
        PoolStatistics numbers = atRest();
        assertThat(numbers.createdTotal()).isEqualTo(mode.equals("known") ? 6 : 1);
    }

    @Test
    void theLimitsOfAnAccountHoldInEverySession() throws Exception {
        for (int i = 0; i < 4; i++) {
            try (Connection connection = connect("limited", "")) {
                assertThat(ask(connection, "SELECT @@max_statement_time = 60, @@max_user_connections"))
                        .containsExactly("[1,2]");
            }
            atRest();
        }
        assertThat(pool.statistics().createdTotal()).isEqualTo(1);
        try (Connection first = connect("limited", "");
                Connection second = connect("limited", "")) {
            assertThatThrownBy(() -> connect("limited", ""))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("max_user_connections");
            assertThat(ask(first, "SELECT 1")).isEqualTo(ask(second, "SELECT 1"));
        }
        atRest();

        // Two are idle, which will not do for a driver with other flags, and are all that the account may have.
        try (Connection other = connect("limited", "?useAffectedRows=true")) {
            assertThat(ask(other, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void anIdleConnectionOfAnotherUserMakesRoomAtTheServer() throws Exception {
        Assumptions.assumeTrue(mode.equals("known"), "in pass-through it is lent to the other user");
        listen(config -> config.maxConnectionsPerAddress(50));
        try (Connection admin = admin()) {
            run(admin, "SET GLOBAL max_connections = 10");
            try {
                List<Connection> busy = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    busy.add(connect("a", "demo"));
                }
                for (Connection connection : busy) {
                    connection.close();
                }
                assertThat(atRest().idle()).isEqualTo(8);
                List<Connection> others = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    others.add(connect("b", "demo"));
                }
                for (Connection connection : others) {
                    assertThat(ask(connection, "SELECT CURRENT_USER() LIKE 'b@%'"))
                            .containsExactly("[1]");
                    connection.close();
                }
            } finally {
                run(admin, "SET GLOBAL max_connections = 100");
            }
        }
    }

    @Test
    void aWrongPasswordIsRefusedInTheServersWords() throws Exception {
        connect().close();
        for (String user : List.of("demo", "nobody")) {
            assertThatThrownBy(() -> connect(user, "wrong", "demo"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("Access denied for user '" + user + "'@'127.0.0.1' (using password: YES)");
        }
        try (Connection connection = connect()) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void aSchemaThatMayNotBeUsedIsRefusedInTheServersWords() throws Exception {
        connect("a", "demo").close();
        assertThatThrownBy(() -> connect("a", "secret_plans"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'a'@'127.0.0.1' to database 'secret_plans'");
        connect("a", "demo").close();
    }

    @Test
    void aFullPoolSaysHowFullItIs() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1).acquireTimeout(Duration.ofMillis(200)));
        try (Connection first = connect()) {
            assertThatThrownBy(this::connect)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("within 200 ms")
                    .hasMessageContaining("total 1 of 1, active 1, idle 0");
            assertThat(ask(first, "SELECT 1")).containsExactly("[1]");
        }
        connect().close();
        assertThat(pool.statistics().timeoutsTotal()).isEqualTo(1);
    }

    @Test
    void aWaitingClientGetsTheConnectionOfOneThatLeaves() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        Connection first = connect();
        Future<Connection> second = threads.submit(() -> connect());
        await().untilAsserted(() -> assertThat(pool.statistics().pending()).isEqualTo(1));
        first.close();
        try (Connection connection = second.get()) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
        assertThat(atRest().createdTotal()).isEqualTo(1);
    }

    @Test
    void aClientThatVanishesInTheMiddleCostsTheConnection() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        Connection connection = connect("a", "demo?useCursorFetch=true&defaultFetchSize=1");
        Statement statement = connection.createStatement();
        statement.setFetchSize(1);
        statement.executeQuery("SELECT seq FROM seq_1_to_1000000");
        connection.abort(Runnable::run);
        try (Connection next = connect("b", "demo")) {
            assertThat(ask(next, "SELECT CURRENT_USER()")).containsExactly("[b@127.0.0.1]");
        }
        assertThat(atRest().createdTotal()).isEqualTo(2);
        assertThat(pool.statistics().brokenTotal()).isZero();
    }

    @Test
    void aConnectionThatTheServerEndsIsNotLent() throws Exception {
        connect().close();
        atRest();
        try (Connection admin = admin()) {
            List<String> ids = ask(admin, "SELECT ID FROM information_schema.processlist WHERE USER = 'demo'");
            assertThat(ids).isNotEmpty();
            for (String id : ids) {
                ask(admin, "KILL " + id.replaceAll("[\\[\\]]", ""));
            }
        }
        await().untilAsserted(() -> assertThat(pool.statistics().idle()).isZero());
        try (Connection connection = connect()) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
    }

    @Test
    void whatTheServerTimesOutIsNotLent() throws Exception {
        connect().close();
        atRest();
        try (Connection admin = admin()) {
            run(admin, "SET GLOBAL wait_timeout = 1");
            try {
                pool.evictIdle();
                connect().close();
                await().untilAsserted(() -> assertThat(atRest().idle()).isZero());
                try (Connection connection = connect()) {
                    assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
                }
            } finally {
                run(admin, "SET GLOBAL wait_timeout = 28800");
            }
        }
        pool.evictIdle();
    }

    @Test
    void anIdleConnectionIsProbedBeforeItIsLent() throws Exception {
        listen(config -> config.probeBypass(Duration.ZERO));
        for (int i = 0; i < 20; i++) {
            try (Connection connection = connect()) {
                assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
            }
        }
        assertThat(atRest().brokenTotal())
                .as(String.valueOf(pool.statistics().lastFailure()))
                .isZero();
        assertThat(pool.statistics().reusedTotal()).isGreaterThanOrEqualTo(15);
    }

    @Test
    void operatorsSeeAndEndSessionsOverSharedConnections() throws Exception {
        try (Connection first = connect();
                Connection second = connect()) {
            ask(first, "SELECT 1");
            List<ProxySession> open = List.copyOf(sessions.sessions());
            assertThat(open).extracting(ProxySession::user).containsOnly("demo");
            assertThat(open).extracting(ProxySession::backend).containsOnly(new HostPort("127.0.0.1", server.port()));
            long id =
                    Long.parseLong(ask(second, "SELECT CONNECTION_ID()").get(0).replaceAll("\\D", ""));
            ProxySession victim = open.stream()
                    .filter(session -> session.backendConnectionId() == id)
                    .findFirst()
                    .orElseThrow();
            Future<List<String>> slow = threads.submit(() -> ask(second, "SELECT SLEEP(60)"));
            await().untilAsserted(() -> assertThat(victim.command()).isEqualTo("COM_QUERY"));
            assertThat(new SessionKiller(sessions).killQuery(victim.id()).join())
                    .contains("KILL QUERY");
            // Whether the row says so, or an error.
            assertThat(slow.get().toString()).containsAnyOf("1", "interrupted");
            assertThat(ask(second, "SELECT 2")).containsExactly("[2]");

            victim.drain();
            await().untilAsserted(() -> assertThat(sessions.sessions()).hasSize(1));
            assertThat(ask(first, "SELECT 1")).containsExactly("[1]");
        }
        // The drained one's connection would be as good as any other, had no KILL been sent to it.
        await().untilAsserted(() -> assertThat(atRest().idle()).isEqualTo(1));
    }

    @Test
    void aUsersConnectionsCanBeEvicted() throws Exception {
        connect("a", "demo").close();
        connect("b", "demo").close();
        SharedConnections shared = Objects.requireNonNull(proxy.sharedConnections());
        int before = atRest().idle();
        assertThat(shared.listConnections())
                .extracting(SharedConnections.SharedConnection::user)
                .contains("b");
        assertThat(shared.evictUser("b")).isEqualTo(1);
        assertThat(atRest().idle()).isEqualTo(before - 1);
        assertThat(shared.evictUser("nobody")).isZero();
    }

    @Test
    void aConnectionThatIsLostOnItsWayToAnotherEventLoopIsReplaced() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        String path = "demo?socketTimeout=30000";
        connect("demo", "demo", path).close();
        atRest();
        PooledConnection idle = (PooledConnection) pool.listConnections().get(0).connection();
        AtomicBoolean lost = new AtomicBoolean();
        idle.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelUnregistered(ChannelHandlerContext ctx) {
                lost.set(true);
                ctx.channel().close();
                ctx.fireChannelUnregistered();
            }
        });

        // Until a session has the other event loop.
        for (int i = 0; i < 100 && !lost.get(); i++) {
            try (Connection connection = connect("demo", "demo", path)) {
                assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
            }
        }

        assertThat(lost).isTrue();
        assertThat(atRest().brokenTotal()).isEqualTo(1);
        assertThat(pool.statistics().lastFailure()).contains("closed by the backend");
    }

    @Test
    void aServerThatIsRestartedUnderLoadIsUsedAgain() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger right = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        List<Future<?>> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(threads.submit(() -> {
                while (!stop.get()) {
                    try (Connection connection = connect();
                            Statement statement = connection.createStatement();
                            ResultSet rows = statement.executeQuery("SELECT 42")) {
                        rows.next();
                        (rows.getInt(1) == 42 ? right : wrong).incrementAndGet();
                    } catch (SQLException e) {
                        // The server is away.
                    }
                }
            }));
        }
        try {
            await().untilAsserted(() -> assertThat(right.get()).isGreaterThan(20));
            server.close();
            server = MariaDbServer.start(MariaDbServer.unpacked(), server.port(), folder);
            int then = right.get();
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(right.get()).isGreaterThan(then + 20));
        } finally {
            stop.set(true);
            for (Future<?> client : clients) {
                client.get();
            }
        }
        assertThat(wrong.get()).isZero();
        for (int i = 0; i < 20; i++) {
            connect().close();
        }
        assertThat(atRest().total()).isLessThanOrEqualTo(4);
    }

    @Test
    void aServerThatStandsStillForLongerThanTheTimeoutsIsUsedAgain() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(2)
                .acquireTimeout(Duration.ofMillis(500))
                .connectTimeout(Duration.ofMillis(300))
                .probeTimeout(Duration.ofMillis(300))
                .probeBypass(Duration.ofMillis(1)));
        connect().close();
        atRest();
        long pid = server.process().pid();
        stop(pid);
        try {
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(this::connect).isInstanceOf(SQLException.class);
            }
        } finally {
            signal("CONT", pid);
        }
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> {
            try (Connection connection = connect()) {
                assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
            }
        });
        for (int i = 0; i < 20; i++) {
            connect().close();
        }
        assertThat(atRest().total()).isLessThanOrEqualTo(2);
    }

    @Test
    void aBackendThatClosesBehindAGateThatTellsWhyCostsNoPlaceInThePool() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1), new BackendGate() {
            @Override
            public Ticket enter(Visitor visitor) {
                return BackendGate.open().enter(visitor);
            }

            @Override
            public boolean tellsWhyBackendsGo() {
                return true;
            }
        });
        for (int i = 0; i < 3; i++) {
            try (Connection connection = connect()) {
                run(connection, "SET wait_timeout = 1");
                await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
            }
            assertThat(atRest().total()).isZero();
        }
    }

    @Test
    void aConnectionThatWasOnlyHeldForLongIsAskedWhetherItWorks() throws Exception {
        Assumptions.assumeTrue(mode.equals("known"));
        listen(config -> config.maxConnectionsPerAddress(1)
                .probeTimeout(Duration.ofMillis(300))
                .probeBypass(Duration.ofMillis(1)));
        openTwice("a", "demo");
        Connection idle = connect("a", "demo");
        long pid = server.process().pid();
        stop(pid);
        try {
            idle.close();
            await().untilAsserted(
                            () -> assertThat(pool.statistics().brokenTotal()).isEqualTo(1));
        } finally {
            signal("CONT", pid);
        }
        assertThat(atRest().idle()).isZero();
    }

    // ---- openings that are known

    /** How many commands the server has been sent, this one included. */
    private static long commandsOf(Connection observer) throws SQLException {
        try (Statement statement = observer.createStatement();
                ResultSet result = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Questions'")) {
            result.next();
            return result.getLong(2);
        }
    }

    /** Two sessions that open alike: from the third one on, the answers are there. */
    private void openTwice(String user, String path) throws SQLException {
        for (int i = 0; i < 2; i++) {
            try (Connection connection = connect(user, path)) {
                ask(connection, "SELECT 1");
            }
            atRest();
        }
    }

    @Test
    void anOpeningThatIsRepeatedCausesNoTraffic() throws Exception {
        Assumptions.assumeTrue(mode.equals("known"));
        listen(config -> config.maxConnectionsPerAddress(1));
        try (Connection observer = admin()) {
            openTwice("a", "demo");
            long before = commandsOf(observer);
            try (Connection connection = connect("a", "demo")) {
                assertThat(connection.isClosed()).isFalse();
                assertThat(commandsOf(observer)).isEqualTo(before + 1);
            }
            atRest();
            // As nothing was said on the connection, nothing had to be cleaned.
            assertThat(commandsOf(observer)).isEqualTo(before + 2);
            try (Connection connection = connect("a", "demo")) {
                assertThat(commandsOf(observer)).isEqualTo(before + 3);
                assertThat(ask(connection, "SELECT 41 + 1")).containsExactly("[42]");
            }
            assertThat(atRest().createdTotal()).isEqualTo(1);
        }
    }

    @Test
    void whoOpensInAnotherWayFindsNothingOfTheOpeningThatWasExpected() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        String path = "demo?useServerPrepStmts=true";
        String other = path + "&sessionVariables=sql_mode='ANSI',lock_wait_timeout=77";
        Map<String, String> direct;
        Map<String, String> otherDirect;
        try (Connection connection = direct("a", path)) {
            direct = answers(connection);
        }
        try (Connection connection = direct("a", other)) {
            otherDirect = answers(connection);
        }
        assertThat(otherDirect).isNotEqualTo(direct);
        for (int i = 0; i < 2; i++) {
            openTwice("a", other);
            try (Connection connection = connect("a", path)) {
                assertThat(answers(connection)).containsExactlyEntriesOf(direct);
            }
            openTwice("a", path);
            try (Connection connection = connect("a", other)) {
                assertThat(answers(connection)).containsExactlyEntriesOf(otherDirect);
            }
        }
        PoolStatistics numbers = atRest();
        assertThat(numbers.createdTotal()).isEqualTo(1);
        assertThat(numbers.brokenTotal()).isZero();
    }

    @Test
    void whoOpensInAnotherSchemaFindsNothingOfTheOpeningThatWasExpected() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        String expected = "demo?sessionVariables=sql_mode='ANSI',lock_wait_timeout=77";
        for (String path : List.of("", "information_schema")) {
            Map<String, String> direct;
            try (Connection connection = direct("a", path)) {
                direct = answers(connection);
            }
            openTwice("a", expected);
            try (Connection connection = connect("a", path)) {
                assertThat(answers(connection)).as(path).containsExactlyEntriesOf(direct);
            }
            atRest();
        }
        assertThat(pool.statistics().createdTotal()).isEqualTo(1);
    }

    @Test
    void aClientThatLeavesWhileItsConnectionIsBroughtBackCostsTheConnectionOnly() throws Exception {
        Assumptions.assumeTrue(mode.equals("known"));
        listen(config -> config.maxConnectionsPerAddress(1));
        openTwice("a", "demo?sessionVariables=lock_wait_timeout=77");
        long pid = server.process().pid();
        stop(pid);
        try {
            // Its first statement is not the one that was expected.
            Future<Connection> client = threads.submit(() -> connect("a", "demo?connectTimeout=500&socketTimeout=500"));
            assertThatThrownBy(client::get).hasRootCauseInstanceOf(java.net.SocketTimeoutException.class);
            await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        } finally {
            signal("CONT", pid);
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT @@lock_wait_timeout")).doesNotContain("[77]");
        }
        assertThat(atRest().total()).isEqualTo(1);
    }

    @Test
    void anOpeningThatIsAnsweredInAnotherWayAfterwardsEndsTheSession() throws Exception {
        Assumptions.assumeTrue(mode.equals("known") && driver.equals("jdbc:mysql"), "it asks before it sets");
        listen(config -> config.maxConnectionsPerAddress(1));
        openTwice("a", "demo");
        try (Connection admin = admin()) {
            run(admin, "SET GLOBAL net_write_timeout = 123");
            try {
                // What it asks first is answered from memory; for what it sets then, the connection is brought back.
                assertThatThrownBy(() -> connect("a", "demo?characterSetResults=latin1"))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("answers the client's opening statements in another way than before");
            } finally {
                run(admin, "SET GLOBAL net_write_timeout = 60");
            }
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT 1")).containsExactly("[1]");
        }
        assertThat(atRest().total()).isEqualTo(1);
    }

    @Test
    void operatorsCanRunAStatementInASessionThatHasSaidWhatWasExpected() throws Exception {
        listen(config -> config.maxConnectionsPerAddress(1));
        openTwice("a", "demo");
        try (Connection connection = connect("a", "demo")) {
            ProxySession session = sessions.sessions().iterator().next();
            assertThat(session.execute("SET @by_operator = 5").get()).isEqualTo(StatementOutcome.ok());
            assertThat(ask(connection, "SELECT @by_operator")).containsExactly("[5]");
        }
        try (Connection connection = connect("a", "demo")) {
            assertThat(ask(connection, "SELECT @by_operator")).containsExactly("[null]");
        }
    }

    private static void signal(String name, long pid) throws Exception {
        Process kill = new ProcessBuilder("/bin/kill", "-" + name, Long.toString(pid))
                .inheritIO()
                .start();
        assertThat(kill.waitFor()).isZero();
    }

    /** Stops a process, and waits until its last thread has stopped: until then one may still answer. */
    private static void stop(long pid) throws Exception {
        signal("STOP", pid);
        await().ignoreExceptions().until(() -> {
            try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
                for (Path task : tasks.toList()) {
                    String stat = Files.readString(task.resolve("stat"));
                    if (stat.charAt(stat.lastIndexOf(')') + 2) != 'T') {
                        return false;
                    }
                }
                return true;
            }
        });
    }
}

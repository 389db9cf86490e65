package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.SessionTraces;

/** Shared connections as they are configured and operated, over two real servers. */
@Timeout(180)
class SharedConnectionsIT {
    /** Of the password {@code demo}. */
    private static final String SHA2_HASH = "$A$005$0123456789abcdefghijexCoF6l4Rhp4FoXUBelMNCMhdpMizypi69bwXWTOf8D";

    @TempDir
    static Path servers;

    private static MariaDbServer first;
    private static MariaDbServer second;

    @TempDir
    Path folder;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private int port;
    private TiProxy service;

    @BeforeAll
    static void startServers() throws Exception {
        first = startServer("first");
        second = startServer("second");
    }

    private static MariaDbServer startServer(String name) throws Exception {
        Path home = Files.createDirectory(servers.resolve(name));
        return MariaDbServer.start(home, "--init-file=" + SessionTraces.writeAdministrator(home));
    }

    @AfterAll
    static void stopServers() {
        first.close();
        second.close();
    }

    @AfterEach
    void stop() {
        service.stop();
        threads.shutdownNow();
    }

    private void start(List<Integer> backends, List<String> pool, String... users) throws Exception {
        port = MariaDbServer.freePort();
        List<String> lines = new ArrayList<>(List.of(
                "proxy = {addr = '127.0.0.1:" + port + "', graceful-close-conn-timeout = '0s'}",
                "backend.instances = "
                        + backends.stream()
                                .map(backend -> "'127.0.0.1:" + backend + "'")
                                .toList(),
                "jmx.addr = 'off'",
                "jolokia.addr = 'off'",
                "[pool]",
                "mode = 'session'"));
        lines.addAll(pool);
        for (String user : users) {
            lines.add("[[users]]");
            lines.addAll(Arrays.asList(user.split("; ")));
        }
        Path file = Files.write(folder.resolve("tiproxy.toml"), lines);
        Problems problems = new Problems();
        SettingsReader reader = new SettingsReader(TiProxyConfig.KEYS, TiProxyConfig.IGNORED, Map.of(), problems);
        reader.readFile(file, "tiproxy.toml", Origin.ofFlag("--config", ""));
        service = TiProxy.start(TiProxyConfig.from(reader.settings(), problems));
    }

    private Connection connect(String driver, String user, String password) throws SQLException {
        String options = driver.equals("mysql") ? "?sslMode=disabled" : "?sslMode=disable&allowPublicKeyRetrieval=true";
        return DriverManager.getConnection("jdbc:" + driver + "://127.0.0.1:" + port + "/" + options, user, password);
    }

    private Connection connect() throws SQLException {
        return connect("mariadb", "demo", "demo");
    }

    private static void administer(MariaDbServer server, String... statements) throws SQLException {
        try (Connection admin = DriverManager.getConnection(
                        "jdbc:mariadb://127.0.0.1:" + server.port() + "/", "admin", "admin");
                Statement statement = admin.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static ObjectName pool() throws Exception {
        return new ObjectName("tiproxy:type=Pool,name=default");
    }

    private static Object attribute(String name) throws Exception {
        return ManagementFactory.getPlatformMBeanServer().getAttribute(pool(), name);
    }

    private static void awaitActive(int count) {
        await().untilAsserted(() -> assertThat(attribute("Active")).isEqualTo(count));
    }

    private static long evictUser(String user) throws Exception {
        return ((Number) ManagementFactory.getPlatformMBeanServer()
                        .invoke(pool(), "evictUser", new Object[] {user}, new String[] {String.class.getName()}))
                .longValue();
    }

    @Test
    void usersWithAPasswordFileAndWithAHashShareConnections() throws Exception {
        administer(first, "CREATE OR REPLACE USER filed@'127.0.0.1' IDENTIFIED BY 'from a file'");
        Files.writeString(folder.resolve("filed.password"), "from a file\n");
        start(
                List.of(first.port()),
                List.of(),
                "name = 'filed'; password-file = 'filed.password'",
                "name = 'demo'; hash = '" + SHA2_HASH + "'");
        for (int i = 0; i < 3; i++) {
            for (String driver : List.of("mariadb", "mysql")) {
                try (Connection connection = connect(driver, "filed", "from a file")) {
                    assertThat(ask(connection, "SELECT CURRENT_USER()")).isEqualTo("filed@127.0.0.1");
                }
                awaitActive(0);
            }
            // The first time its password comes encrypted with the proxy's key, then the cache is enough. (Connector/J
            // does not understand the plugin of a server that calls itself 5.5.5, as MariaDB did until 10.11.)
            try (Connection connection = connect("mariadb", "demo", "demo")) {
                assertThat(ask(connection, "SELECT CURRENT_USER()")).startsWith("demo@");
            }
            awaitActive(0);
        }
        assertThatThrownBy(() -> connect("mariadb", "demo", "wrong")).hasMessageContaining("Access denied");
        assertThatThrownBy(() -> connect("mariadb", "filed", "wrong")).hasMessageContaining("Access denied");
        assertThat((Long) attribute("ReusedTotal")).isGreaterThanOrEqualTo(6);
    }

    @Test
    void aConnectionThatAClientKeepsForTooLongIsLoggedAndCounted() throws Exception {
        Queue<String> logged = new ConcurrentLinkedQueue<>();
        Handler listener = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                logged.add(String.valueOf(entry.getMessage()));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger("org.tiproxy.pool.Housekeeping");
        logger.addHandler(listener);
        try {
            start(List.of(first.port()), List.of("leak-detection-threshold = '200ms'"));
            try (Connection connection = connect()) {
                assertThat(ask(connection, "SELECT 1")).isEqualTo("1");
                await().untilAsserted(() -> assertThat(attribute("LeakedTotal")).isEqualTo(1L));
                await().untilAsserted(() ->
                        assertThat(logged).anySatisfy(line -> assertThat(line).contains("has been in use for")));
                assertThat(ask(connection, "SELECT 2")).isEqualTo("2");
            }
        } finally {
            logger.removeHandler(listener);
        }
    }

    @Test
    void aChangedAccountLivesOnUntilMaxLifetimeOrUntilItIsEvicted() throws Exception {
        String create = "CREATE OR REPLACE USER c@'127.0.0.1' IDENTIFIED BY 'old'";
        start(List.of(first.port()), List.of("max-lifetime = '3s'"), "name = 'c'; password = 'old'");
        for (String change : List.of(
                "ALTER USER c@'127.0.0.1' IDENTIFIED BY 'new'",
                "ALTER USER c@'127.0.0.1' ACCOUNT LOCK",
                "DROP USER c@'127.0.0.1'")) {
            administer(first, create);
            connect("mariadb", "c", "old").close();
            awaitActive(0);
            administer(first, change);
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThatThrownBy(
                                    () -> connect("mariadb", "c", "old").close())
                            .as(change)
                            .isInstanceOf(SQLException.class));
            administer(first, create);
            connect("mariadb", "c", "old").close();
            awaitActive(0);
            administer(first, change);
            evictUser("c");
            assertThatThrownBy(() -> connect("mariadb", "c", "old").close())
                    .as(change)
                    .isInstanceOf(SQLException.class);
        }
    }

    @Test
    void minIdleConnectionsAreLoggedInForTheUserWhoCameLast() throws Exception {
        start(List.of(first.port()), List.of("min-idle = 2"), "name = 'demo'; password = 'demo'");
        assertThat(attribute("Total")).isEqualTo(0);
        try (Connection connection = connect()) {
            await().untilAsserted(() -> assertThat(attribute("Idle")).isEqualTo(2));
            String users = "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = 'demo'";
            assertThat(ask(connection, users)).isEqualTo("3");
            assertThat(attribute("CreatedTotal")).isEqualTo(3L);
        }
    }

    @Test
    void theFirstClientUsesTheConnectionThatWasOpenedForTheGreeting() throws Exception {
        start(List.of(first.port()), List.of());
        connect().close();
        awaitActive(0);
        connect().close();
        awaitActive(0);
        assertThat(attribute("CreatedTotal")).isEqualTo(1L);
        assertThat(attribute("AcquiredTotal")).isEqualTo(2L);
    }

    @Test
    void aConnectionAtWhichAKillWasAimedIsNotLentAgain() throws Exception {
        start(List.of(first.port()), List.of("max-connections-per-address = 2"), "name = 'demo'; password = 'demo'");
        try (Connection killer = connect();
                Connection victim = connect()) {
            Sleeper slow = sleep(victim);
            try (Statement statement = killer.createStatement()) {
                statement.execute("KILL QUERY " + slow.connectionId);
            }
            assertThat(interrupted(slow.statement)).isTrue();
        }
        await().untilAsserted(() -> assertThat(attribute("ClosedTotal")).isEqualTo(1L));
        assertThat(attribute("Idle")).isEqualTo(1);
    }

    /** A session that sleeps at its server, and the connection id that its client knows. */
    private record Sleeper(Future<String> statement, long connectionId) {}

    private Sleeper sleep(Connection victim) throws Exception {
        long thread = Long.parseLong(ask(victim, "SELECT CONNECTION_ID()"));
        int serverPort = Integer.parseInt(ask(victim, "SELECT @@port"));
        long id = 0;
        CompositeData[] sessions = (CompositeData[]) ManagementFactory.getPlatformMBeanServer()
                .invoke(new ObjectName("tiproxy:type=Proxy,name=default"), "listConnections", null, null);
        for (CompositeData session : sessions) {
            if (session.get("backendConnectionId").equals(thread)
                    && session.get("backend").equals("127.0.0.1:" + serverPort)) {
                id = (Long) session.get("connectionId");
            }
        }
        assertThat(id).isPositive();
        Future<String> statement = threads.submit(() -> ask(victim, "SELECT SLEEP(60)"));
        // A KILL that comes before the statement has begun would be forgotten.
        try (Connection admin =
                DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + serverPort + "/", "admin", "admin")) {
            await().until(() -> ask(
                            admin,
                            "SELECT COUNT(*) FROM information_schema.processlist WHERE STATE = 'User sleep' AND ID = "
                                    + thread)
                    .equals("1"));
        }
        return new Sleeper(statement, id);
    }

    private static boolean interrupted(Future<String> statement) throws Exception {
        try {
            return statement.get().equals("1");
        } catch (ExecutionException e) {
            return String.valueOf(e.getCause().getMessage()).contains("interrupted");
        }
    }

    private static Map<Object, Object> acquiredPerAddress() throws Exception {
        Map<Object, Object> acquired = new HashMap<>();
        for (CompositeData row : (CompositeData[]) attribute("Addresses")) {
            acquired.put(row.get("address"), row.get("acquiredTotal"));
        }
        return acquired;
    }

    @Test
    void connectionsAreSpreadOverSeveralServersAndKillsFindTheRightOne() throws Exception {
        start(List.of(first.port(), second.port()), List.of("min-idle = 0"), "name = 'demo'; password = 'demo'");
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            connections.add(connect());
        }
        assertThat(acquiredPerAddress())
                .containsOnly(Map.entry("127.0.0.1:" + first.port(), 2L), Map.entry("127.0.0.1:" + second.port(), 2L));
        // Whichever server the connection that carries the KILL leads to: each victim is tried with killers on both.
        for (Connection killer : connections) {
            for (Connection victim : connections) {
                if (killer == victim) {
                    continue;
                }
                Sleeper slow = sleep(victim);
                try (Statement statement = killer.createStatement()) {
                    statement.execute("KILL QUERY " + slow.connectionId);
                }
                assertThat(interrupted(slow.statement)).isTrue();
            }
        }
        for (Connection connection : connections) {
            connection.close();
        }
        awaitActive(0);
    }

    @Test
    void aServerThatIsDownIsPassedOver() throws Exception {
        int nobody = MariaDbServer.freePort();
        start(List.of(nobody, first.port()), List.of());
        List<Connection> connections = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            connections.add(connect());
        }
        for (Connection connection : connections) {
            assertThat(ask(connection, "SELECT 1")).isEqualTo("1");
            connection.close();
        }
        awaitActive(0);
        assertThat(acquiredPerAddress()).containsEntry("127.0.0.1:" + nobody, 0L);
    }
}

package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.net.tls.SecurityConfig.ServerTls;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;
import org.tiproxy.net.tls.TlsFiles;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.KnownUsers;
import org.tiproxy.testing.MySqlServer;
import org.tiproxy.testing.SessionTraces;

/**
 * Logins to a real MySQL with the plugins that want the password itself, over every combination of TLS, when the server
 * knows nothing yet and when it remembers.
 */
@Timeout(120)
class MySqlServerLoginsIT {
    private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

    @TempDir
    static Path folder;

    private static MySqlServer server;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SessionRegistry sessions = new SessionRegistry(0);
    private ProxyTls tls;
    private ProxyListener proxy;

    @BeforeAll
    static void startServer() throws Exception {
        MySqlServer.assumePresent();
        server = MySqlServer.start(
                folder,
                List.of(
                        "CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin'",
                        "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION"));
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @AfterEach
    void close() {
        if (proxy != null) {
            try {
                await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
            } finally {
                proxy.shutdown();
                tls.close();
                threads.shutdownNow();
            }
        }
    }

    static Stream<Arguments> logins() {
        List<Arguments> all = new ArrayList<>();
        for (String driver : List.of("jdbc:mysql", "jdbc:mariadb")) {
            for (String plugin : List.of("caching_sha2_password", "sha256_password")) {
                // MariaDB's driver does not have the other one.
                if (driver.equals("jdbc:mysql") || plugin.equals("caching_sha2_password")) {
                    for (String pool : List.of("none", "known", "pass-through")) {
                        for (boolean clientTls : List.of(false, true)) {
                            for (boolean backendTls : List.of(false, true)) {
                                all.add(Arguments.of(driver, plugin, pool, clientTls, backendTls));
                            }
                        }
                    }
                }
            }
        }
        return all.stream();
    }

    private void listen(PoolingConfig pooling, boolean clientTls, boolean backendTls) throws Exception {
        ServerTls towardsClients =
                clientTls ? new ServerTls(new TlsFiles(null, null, null), true, false, List.of(), VERSIONS) : null;
        SqlTls towardsBackend = backendTls ? new SqlTls(new TlsFiles(null, null, null), false, false, VERSIONS) : null;
        tls = ProxyTls.open(new SecurityConfig(towardsClients, towardsBackend, false, false));
        ProxyConfig config = TestProxyConfig.mysql(NetworkTransport.AUTO);
        proxy = new ProxyListener(
                config,
                pooling,
                new HostPort("127.0.0.1", server.port()),
                BackendGate.open(),
                sessions,
                Ticker.SYSTEM,
                threads,
                tls);
        proxy.open();
    }

    private static PoolingConfig pooling(String pool) {
        if (pool.equals("none")) {
            return PoolingConfig.OFF;
        }
        PoolConfig bounds = PoolConfig.builder()
                .name("default")
                .maxConnectionsPerAddress(2)
                .failFast(true)
                .build();
        KnownUsers users = new KnownUsers(List.of(KnownUser.withPassword("newcomer", new Secret("its password"))));
        return new PoolingConfig(PoolingConfig.Mode.SESSION, bounds, false, pool.equals("known") ? users : null);
    }

    private Connection connect(String driver, boolean clientTls, String password) throws SQLException {
        String mode = driver.equals("jdbc:mysql")
                ? "sslMode=" + (clientTls ? "REQUIRED" : "DISABLED")
                : "sslMode=" + (clientTls ? "trust" : "disable");
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + proxy.address().port() + "/demo?allowPublicKeyRetrieval=true&" + mode,
                "newcomer",
                password);
    }

    @ParameterizedTest
    @MethodSource("logins")
    void theServerIsToldThePasswordHoweverTheLegsAreEncrypted(
            String driver, String plugin, String pool, boolean clientTls, boolean backendTls) throws Exception {
        // A new account is one that the server remembers nothing of.
        try (Connection admin = DriverManager.getConnection(
                        "jdbc:mysql://127.0.0.1:" + server.port() + "/?sslMode=REQUIRED", "admin", "admin");
                Statement statement = admin.createStatement()) {
            assumeThat(SessionTraces.ask(admin, "SHOW PLUGINS").toString())
                    .as("the server's plugins")
                    .contains("[" + plugin + ",ACTIVE");
            statement.execute("DROP USER IF EXISTS newcomer@'127.0.0.1'");
            statement.execute("CREATE USER newcomer@'127.0.0.1' IDENTIFIED WITH " + plugin + " BY 'its password'");
            statement.execute("GRANT ALL ON demo.* TO newcomer@'127.0.0.1'");
        }
        listen(pooling(pool), clientTls, backendTls);

        assertThatThrownBy(() -> connect(driver, clientTls, "another"))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("Access denied for user 'newcomer'@'127.0.0.1' (using password: YES)");
        for (int i = 0; i < 3; i++) {
            try (Connection connection = connect(driver, clientTls, "its password");
                    Statement statement = connection.createStatement();
                    ResultSet who = statement.executeQuery("SELECT CURRENT_USER(), CONCAT(@@version, '')")) {
                who.next();
                assertThat(who.getString(1)).isEqualTo("newcomer@127.0.0.1");
            }
        }
        assertThatThrownBy(() -> connect(driver, clientTls, "another")).hasMessageContaining("Access denied");
    }
}

package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.net.tls.SecurityConfig.ServerTls;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;
import org.tiproxy.net.tls.TestAuthority;
import org.tiproxy.net.tls.TlsFiles;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolStatistics;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.KnownUsers;
import org.tiproxy.testing.MariaDbServer;

/** Real drivers with and without TLS through the proxy to a real server with and without TLS. */
@Timeout(180)
@ParameterizedClass
@ValueSource(strings = {"jdbc:mariadb", "jdbc:mysql"})
class TlsSessionIT {
    private static final List<String> ALL_VERSIONS = List.of("TLSv1.3", "TLSv1.2");
    private static final String STORE_PASSWORD = "store";

    @TempDir
    static Path folder;

    private static TestAuthority authority;
    private static TestAuthority stranger;
    private static TestAuthority.Issued proxyCertificate;
    private static MariaDbServer withTls;
    private static MariaDbServer withoutTls;

    @Parameter
    String driver;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private SessionRegistry sessions;
    private ProxyTls tls;
    private PoolingConfig pooling = PoolingConfig.OFF;
    private ProxyListener proxy;

    @BeforeAll
    static void startServers() throws Exception {
        if (withTls != null) {
            return;
        }
        authority = new TestAuthority(folder, "ca");
        stranger = new TestAuthority(folder, "stranger");
        proxyCertificate = authority.issue("proxy", "proxy");
        TestAuthority.Issued server = authority.issue("server", "server");
        Path accounts = Files.writeString(
                folder.resolve("accounts.sql"),
                Files.readString(MariaDbServer.script().resolveSibling("accounts.sql"))
                        + "\nCREATE USER IF NOT EXISTS certified@'127.0.0.1' IDENTIFIED BY 'demo' REQUIRE X509;\n");
        withTls = MariaDbServer.start(
                Files.createTempDirectory(folder, "with"),
                "--ssl",
                "--ssl-cert=" + server.certificate(),
                "--ssl-key=" + server.key(),
                "--ssl-ca=" + authority.file(),
                "--init-file=" + accounts);
        withoutTls = MariaDbServer.start(Files.createTempDirectory(folder, "without"));
    }

    @AfterAll
    static void stopServers() {
        withTls.close();
        withoutTls.close();
        withTls = null;
    }

    @AfterEach
    void close() {
        if (proxy != null) {
            await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
            proxy.shutdown();
            tls.close();
        }
        threads.shutdownNow();
    }

    private void listen(MariaDbServer server, SecurityConfig security) throws Exception {
        sessions = new SessionRegistry(0);
        tls = ProxyTls.open(security);
        ProxyConfig config = TestProxyConfig.mysql(NetworkTransport.AUTO);
        HostPort backend = new HostPort("127.0.0.1", server.port());
        proxy = new ProxyListener(config, pooling, backend, BackendGate.open(), sessions, Ticker.SYSTEM, threads, tls);
        proxy.open();
    }

    private static PoolingConfig pooling(@Nullable KnownUsers users) {
        PoolConfig bounds = PoolConfig.builder()
                .name("default")
                .maxConnectionsPerAddress(2)
                .failFast(true)
                .build();
        return new PoolingConfig(PoolingConfig.Mode.SESSION, bounds, false, users);
    }

    private static ServerTls serverTls(List<String> versions) {
        return new ServerTls(
                new TlsFiles(proxyCertificate.certificate(), proxyCertificate.key(), null),
                false,
                false,
                List.of(),
                versions);
    }

    private static ServerTls serverTlsForClientsWithCertificate(boolean optional, String... allowedNames) {
        return new ServerTls(
                new TlsFiles(proxyCertificate.certificate(), proxyCertificate.key(), authority.file()),
                false,
                optional,
                List.of(allowedNames),
                ALL_VERSIONS);
    }

    private static SqlTls sqlTls(List<String> versions) {
        return new SqlTls(new TlsFiles(null, null, authority.file()), true, true, versions);
    }

    private static SecurityConfig security(@Nullable ServerTls serverTls, @Nullable SqlTls sqlTls) {
        return new SecurityConfig(serverTls, sqlTls, false, false);
    }

    private boolean isConnectorJ() {
        return driver.equals("jdbc:mysql");
    }

    private Connection connect(String options) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + proxy.address().port() + "/demo?" + options, "demo", "demo");
    }

    private String off() {
        return isConnectorJ() ? "sslMode=DISABLED&allowPublicKeyRetrieval=true" : "sslMode=disable";
    }

    private String unverified() {
        return isConnectorJ() ? "sslMode=REQUIRED" : "sslMode=trust";
    }

    private String verified(TestAuthority trusted) throws Exception {
        if (!isConnectorJ()) {
            return "sslMode=verify-full&serverSslCert=" + trusted.file();
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certificate(trusted.file()));
        return "sslMode=VERIFY_IDENTITY&trustCertificateKeyStoreType=PKCS12&trustCertificateKeyStoreUrl=file:"
                + save(store, trusted.file() + ".p12") + "&trustCertificateKeyStorePassword=" + STORE_PASSWORD;
    }

    private String with(TestAuthority.Issued issued) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        PrivateKey key = privateKey(issued.key());
        store.setKeyEntry(
                "me", key, STORE_PASSWORD.toCharArray(), new Certificate[] {certificate(issued.certificate())});
        Path file = save(store, issued.certificate() + ".p12");
        return isConnectorJ()
                ? "&clientCertificateKeyStoreType=PKCS12&clientCertificateKeyStoreUrl=file:" + file
                        + "&clientCertificateKeyStorePassword=" + STORE_PASSWORD
                : "&keyStoreType=PKCS12&keyStore=" + file + "&keyStorePassword=" + STORE_PASSWORD;
    }

    private static Certificate certificate(Path file) throws Exception {
        return CertificateFactory.getInstance("X.509").generateCertificate(Files.newInputStream(file));
    }

    private static PrivateKey privateKey(Path file) throws Exception {
        String body = Files.readString(file).replaceAll("-----.*-----|\\s", "");
        return java.security.KeyFactory.getInstance("EC")
                .generatePrivate(new java.security.spec.PKCS8EncodedKeySpec(
                        Base64.getDecoder().decode(body)));
    }

    private static Path save(KeyStore store, String name) throws Exception {
        try (OutputStream out = Files.newOutputStream(Path.of(name))) {
            store.store(out, STORE_PASSWORD.toCharArray());
        }
        return Path.of(name);
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            assertThat(rows.next()).isTrue();
            return rows.getString(rows.getMetaData().getColumnCount());
        }
    }

    private boolean clientHasTls() {
        return sessions.sessions().iterator().next().tls();
    }

    @ParameterizedTest
    @CsvSource({
        "false, false, TLSv1.3",
        "false, true, TLSv1.2",
        "false, true, TLSv1.3",
        "true, false, TLSv1.2",
        "true, false, TLSv1.3",
        "true, true, TLSv1.2",
        "true, true, TLSv1.3",
    })
    void everyCombinationOfTlsOnBothSidesWorks(boolean client, boolean backend, String version) throws Exception {
        List<String> versions = List.of(version);
        listen(withTls, security(client ? serverTls(versions) : null, backend ? sqlTls(versions) : null));

        try (Connection connection = connect(client ? verified(authority) : off())) {
            assertThat(clientHasTls()).isEqualTo(client);
            assertThat(value(connection, "SHOW STATUS LIKE 'Ssl_version'")).isEqualTo(backend ? version : "");
            // Larger than TLS records and buffers, in both directions.
            String large = "x".repeat(3_000_000);
            assertThat(value(connection, "SELECT '" + large + "'")).isEqualTo(large);
        }
    }

    @Test
    void wrongPasswordsGetTheServersOwnErrorOverTlsToo() throws Exception {
        listen(withTls, security(serverTls(ALL_VERSIONS), sqlTls(ALL_VERSIONS)));

        assertThatThrownBy(() -> DriverManager.getConnection(
                        driver + "://127.0.0.1:" + proxy.address().port() + "/demo?" + unverified(), "demo", "wrong"))
                .hasMessageContaining("Access denied for user 'demo'");
    }

    @Test
    void tlsIsOfferedNotForced() throws Exception {
        listen(withoutTls, security(serverTls(ALL_VERSIONS), sqlTls(ALL_VERSIONS)));

        try (Connection connection = connect(off())) {
            assertThat(clientHasTls()).isFalse();
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void aCertificateThatIsMadeAtTheStartWillDo() throws Exception {
        listen(withoutTls, security(new ServerTls(TlsFiles.NONE, true, false, List.of(), ALL_VERSIONS), null));

        try (Connection connection = connect(unverified())) {
            assertThat(clientHasTls()).isTrue();
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
        assertThatThrownBy(() -> connect(verified(authority))).isInstanceOf(SQLException.class);
    }

    @Test
    void clientsWithoutTlsAreRefusedWhereItIsRequired() throws Exception {
        listen(withoutTls, new SecurityConfig(serverTls(ALL_VERSIONS), null, true, false));

        assertThatThrownBy(() -> connect(off())).hasMessageContaining("Connections without TLS are not accepted");
        try (Connection connection = connect(unverified())) {
            assertThat(clientHasTls()).isTrue();
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void backendsWithoutTlsAreRefusedWhereItIsRequired() throws Exception {
        listen(withoutTls, new SecurityConfig(null, sqlTls(ALL_VERSIONS), false, true));

        assertThatThrownBy(() -> connect(off()))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"))
                .hasMessageContaining("the backend does not offer TLS");
    }

    @Test
    void aBackendThatCannotBeVerifiedIsAnErrorWithTheCause() throws Exception {
        listen(
                withTls,
                security(null, new SqlTls(new TlsFiles(null, null, stranger.file()), true, true, ALL_VERSIONS)));

        assertThatThrownBy(() -> connect(off()))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"))
                .hasMessageContaining("TLS with backend 127.0.0.1:" + withTls.port() + " failed")
                .hasMessageContaining("not signed by a CA in security.sql-tls.ca");
        assertThat(sessions.failedTotal()).isPositive();
    }

    @Test
    void aBackendsCertificateMustBeMadeOutToItsHost() throws Exception {
        Path data = Files.createDirectories(folder.resolve("elsewhere" + isConnectorJ()));
        TestAuthority.Issued elsewhere = authority.issueWithoutHost("elsewhere", "elsewhere");
        try (MariaDbServer server = MariaDbServer.start(
                data, "--ssl", "--ssl-cert=" + elsewhere.certificate(), "--ssl-key=" + elsewhere.key())) {
            listen(server, security(null, sqlTls(ALL_VERSIONS)));
            assertThatThrownBy(() -> connect(off())).hasMessageContaining("made out to another host");
            close();

            TlsFiles files = new TlsFiles(null, null, authority.file());
            listen(server, security(null, new SqlTls(files, true, false, ALL_VERSIONS)));
            try (Connection connection = connect(off())) {
                assertThat(value(connection, "SHOW STATUS LIKE 'Ssl_version'")).isEqualTo("TLSv1.3");
            }
            close();

            listen(server, security(null, new SqlTls(TlsFiles.NONE, false, false, ALL_VERSIONS)));
            try (Connection connection = connect(off())) {
                assertThat(value(connection, "SHOW STATUS LIKE 'Ssl_version'")).isEqualTo("TLSv1.3");
            }
        }
    }

    @Test
    void aClientThatDoesNotTrustUsIsItsOwnConcern() throws Exception {
        listen(withoutTls, security(serverTls(ALL_VERSIONS), null));

        assertThatThrownBy(() -> connect(verified(stranger))).isInstanceOf(SQLException.class);
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
        try (Connection connection = connect(verified(authority))) {
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void clientCertificatesAreDemandedAndVerified() throws Exception {
        listen(withoutTls, security(serverTlsForClientsWithCertificate(false), null));

        assertThatThrownBy(() -> connect(unverified())).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> connect(unverified() + with(stranger.issue("foreign", "client"))))
                .isInstanceOf(SQLException.class);
        try (Connection connection = connect(unverified() + with(authority.issue("client", "client")))) {
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void clientCertificatesMayBeOptionalAndTheirNamesLimited() throws Exception {
        listen(withoutTls, security(serverTlsForClientsWithCertificate(true, "good"), null));

        try (Connection connection = connect(unverified())) {
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
        try (Connection connection = connect(unverified() + with(authority.issue("good", "good")))) {
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
        assertThatThrownBy(() -> connect(unverified() + with(authority.issue("bad", "bad"))))
                .isInstanceOf(SQLException.class);
    }

    @Test
    void aBackendThatDemandsACertificateSeesTheProxys() throws Exception {
        TestAuthority.Issued client = authority.issue("me", "me");
        listen(withTls, security(null, sqlTls(ALL_VERSIONS)));
        assertThatThrownBy(() -> connectAs("certified")).hasMessageContaining("Access denied");
        close();

        TlsFiles files = new TlsFiles(client.certificate(), client.key(), authority.file());
        listen(withTls, security(null, new SqlTls(files, true, true, ALL_VERSIONS)));
        try (Connection connection = connectAs("certified")) {
            assertThat(value(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    private Connection connectAs(String user) throws SQLException {
        return DriverManager.getConnection(
                driver + "://127.0.0.1:" + proxy.address().port() + "/?" + off(), user, "demo");
    }

    @Test
    void newCertificatesAreForNewSessionsAndOldSessionsGoOn() throws Exception {
        TestAuthority.Issued first = authority.issue("changing", "first");
        ServerTls config = new ServerTls(
                new TlsFiles(first.certificate(), first.key(), null), false, false, List.of(), ALL_VERSIONS);
        listen(withoutTls, security(config, null));

        try (Connection before = connect(verified(authority))) {
            stranger.issue("changing", "second");
            // Two looks at the files, five seconds apart.
            await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> {
                try (Connection after = connect(verified(stranger))) {
                    return value(after, "SELECT 1").equals("1");
                }
            });
            assertThat(value(before, "SELECT 2")).isEqualTo("2");
        }
    }

    @Test
    void aLoginThatStopsWithinTlsIsEndedAndNoBytesAreTakenForPlainOnes() throws Exception {
        assumeThat(isConnectorJ()).as("no driver takes part").isTrue();
        listen(withoutTls, security(serverTls(ALL_VERSIONS), null));

        try (java.net.Socket socket =
                new java.net.Socket("127.0.0.1", proxy.address().port())) {
            socket.setSoTimeout(60_000);
            assertThat(socket.getInputStream().read()).isPositive();
            byte[] sslRequest = new byte[36];
            sslRequest[0] = 32;
            sslRequest[3] = 1;
            // CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION
            sslRequest[5] = (byte) 0x8a;
            socket.getOutputStream().write(sslRequest);
            socket.getOutputStream().write("this is no TLS at all".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        } catch (java.net.SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void connectionsWithTlsAreSharedByClientsWithAndWithout(boolean known) throws Exception {
        pooling = pooling(known ? new KnownUsers(List.of(KnownUser.withPassword("demo", new Secret("demo")))) : null);
        listen(withTls, security(serverTls(ALL_VERSIONS), sqlTls(ALL_VERSIONS)));
        for (int i = 0; i < 6; i++) {
            try (Connection connection = connect(i % 2 == 0 ? off() : unverified());
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SHOW STATUS LIKE 'Ssl_version'")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString(2)).startsWith("TLSv1");
            }
        }
        PoolStatistics numbers =
                Objects.requireNonNull(proxy.sharedConnections()).control().statistics();
        // Clients with and without TLS may differ in their capabilities otherwise.
        assertThat(numbers.reusedTotal()).isGreaterThanOrEqualTo(2);
        assertThat(numbers.brokenTotal())
                .as(String.valueOf(numbers.lastFailure()))
                .isZero();
    }

    @Test
    void aSharedConnectionsBackendWithAStrangersCertificateIsNamed() throws Exception {
        pooling = pooling(null);
        listen(
                withTls,
                security(null, new SqlTls(new TlsFiles(null, null, stranger.file()), true, true, ALL_VERSIONS)));
        assertThatThrownBy(() -> connect(off()))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("TLS with backend");
    }
}

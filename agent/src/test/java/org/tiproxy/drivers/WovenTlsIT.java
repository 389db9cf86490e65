package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.common.Ticker;
import org.tiproxy.drivers.JdbcDriver.Family;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.InProcessProxy;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.net.tls.TestAuthority;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.TimerThread;
import org.tiproxy.testing.MariaDbServer;

/** TLS as the driver's URL wants it, on the backend's leg. */
class WovenTlsIT extends WovenDrivers {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @BeforeAll
    static void start() throws Exception {
        server = withTls();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    int serverPort() {
        return server.port();
    }

    private static TestAuthority authority;
    private static Path trustStore;

    private String url(JdbcDriver driver, String options) {
        return driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?" + options;
    }

    private static MariaDbServer withTls() throws Exception {
        authority = new TestAuthority(folder, "ca");
        TestAuthority.Issued issued = authority.issue("server", "server");
        trustStore = folder.resolve("trust.p12");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(authority.file())) {
            store.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        try (OutputStream file = Files.newOutputStream(trustStore)) {
            store.store(file, "changeit".toCharArray());
        }
        String[] options = Accounts.serverOptions(folder, false);
        String[] all = Arrays.copyOf(options, options.length + 4);
        all[options.length] = "--ssl";
        all[options.length + 1] = "--ssl-cert=" + issued.certificate();
        all[options.length + 2] = "--ssl-key=" + issued.key();
        all[options.length + 3] = "--ssl-ca=" + authority.file();
        return MariaDbServer.start(folder, all);
    }

    /** TLS without a look at the certificate. */
    private static String demanded(JdbcDriver driver) {
        return switch (driver.family()) {
            case CONNECTOR_J -> "sslMode=REQUIRED";
            case CONNECTOR_J_8_0_11, CONNECTOR_J_5 -> "useSSL=true&requireSSL=true&verifyServerCertificate=false";
            case MARIADB -> isMariaDb2(driver) ? "useSsl=true&trustServerCertificate=true" : "sslMode=trust";
        };
    }

    /** TLS with as close a look as the driver takes. */
    private static String verified(JdbcDriver driver) {
        return switch (driver.family()) {
            case CONNECTOR_J -> "sslMode=VERIFY_IDENTITY";
            case CONNECTOR_J_8_0_11, CONNECTOR_J_5 -> "useSSL=true&requireSSL=true&verifyServerCertificate=true";
            case MARIADB -> isMariaDb2(driver) ? "useSsl=true" : "sslMode=verify-full";
        };
    }

    private static String trusting(JdbcDriver driver) {
        return isConnectorJ(driver)
                ? "&trustCertificateKeyStoreUrl=" + trustStore.toUri()
                        + "&trustCertificateKeyStoreType=PKCS12&trustCertificateKeyStorePassword=changeit"
                : "&serverSslCert=" + authority.file();
    }

    private static String cipher(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW SESSION STATUS LIKE 'Ssl_cipher'")) {
            assertThat(rows.next()).isTrue();
            return rows.getString(2);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void tlsThatTheUrlDemandsIsTheBackendsLegs(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = open(driver, loader, url(driver, demanded(driver)))) {
            assertThat(cipher(connection)).isNotEmpty();
            assertThat(engine.encrypted()).isEqualTo(1);
            assertThat(redirector.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aCertificateThatTheUrlTrustsIsAccepted(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = open(driver, loader, url(driver, verified(driver) + trusting(driver)))) {
            assertThat(cipher(connection)).isNotEmpty();
            assertThat(engine.encrypted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aCertificateThatTheUrlDoesNotTrustIsNotAccepted(JdbcDriver driver) throws Exception {
        assumeThat(provingDrivers()).doesNotContain(driver);
        try (WovenLoader loader = woven(driver)) {
            assertThatThrownBy(() ->
                            open(driver, loader, url(driver, verified(driver))).close())
                    .isInstanceOf(SQLException.class);
            assertThat(engine.encrypted()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void withoutTlsInTheUrlThereIsNone(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = open(driver, loader, url(driver, plain(driver)))) {
            assertThat(cipher(connection)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void equalTlsOptionsAreEqual(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            for (String options : List.of(verified(driver) + trusting(driver), demanded(driver))) {
                open(driver, loader, url(driver, options)).close();
                open(driver, loader, url(driver, options)).close();
            }
        }
        assertThat(engine.logins()).hasSize(4);
        assertThat(engine.logins().get(0).tls())
                .isEqualTo(engine.logins().get(1).tls());
        assertThat(engine.logins().get(2).tls())
                .isEqualTo(engine.logins().get(3).tls())
                .isNotEqualTo(engine.logins().get(0).tls());
        assertThat(engine.logins().toString()).doesNotContain("changeit");
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theDriverTurnsToTlsItselfWhereItConnectsByItself(JdbcDriver driver) throws Exception {
        // These insist on TLS versions that today's JDKs have disabled.
        assumeThat(driver.family()).isNotIn(Family.CONNECTOR_J_5, Family.CONNECTOR_J_8_0_11);
        assumeThat(driver).isNotEqualTo(JdbcDriver.CONNECTOR_J_8_0_19);
        DriverProxy broken = login -> {
            throw new IllegalStateException("out of order");
        };
        try (WovenLoader loader = woven(driver, broken);
                Connection connection = open(driver, loader, url(driver, demanded(driver)))) {
            assertThat(cipher(connection)).isNotEmpty();
        }
    }

    /** Those that take the password for a proof if no authority vouches for the server. */
    static Stream<JdbcDriver> provingDrivers() {
        return drivers()
                .filter(driver -> driver.compareTo(JdbcDriver.MARIADB_4_0_0) >= 0)
                .filter(driver -> driver.compareTo(JdbcDriver.MARIADB_3_4_1) <= 0);
    }

    private InProcessProxy realEngine(TimerThread timer) {
        return new InProcessProxy(
                PoolConfig.builder().build(), List::of, Ticker.SYSTEM, timer, PoolListener.NONE, true);
    }

    @ParameterizedTest
    @MethodSource("provingDrivers")
    void thePasswordProvesACertificateThatNobodyHasSigned(JdbcDriver driver) throws Exception {
        try (TimerThread timer = new TimerThread("test-housekeeping");
                InProcessProxy real = realEngine(timer);
                WovenLoader loader = woven(driver, real);
                Connection connection = open(driver, loader, url(driver, "sslMode=verify-full"))) {
            assertThat(cipher(connection)).isNotEmpty();
            assertThat(redirector.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("provingDrivers")
    void withoutAPasswordNothingProvesTheCertificate(JdbcDriver driver) throws Exception {
        String url = driver.scheme() + "//127.0.0.1:" + server.port() + "/" + Scenario.SCHEMA + "?sslMode=verify-full";
        try (TimerThread timer = new TimerThread("test-housekeeping");
                InProcessProxy real = realEngine(timer);
                WovenLoader loader = woven(driver, real)) {
            assertThatThrownBy(() ->
                            open(driver, loader, url, Accounts.NO_PASSWORD, "").close())
                    .isInstanceOf(SQLException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theEngineTurnsToTlsAsTheUrlSays(JdbcDriver driver) throws Exception {
        try (TimerThread timer = new TimerThread("test-housekeeping");
                InProcessProxy real = realEngine(timer);
                WovenLoader loader = woven(driver, real)) {
            for (String options : List.of(demanded(driver), verified(driver) + trusting(driver))) {
                try (Connection connection = open(driver, loader, url(driver, options))) {
                    assertThat(cipher(connection)).isNotEmpty();
                }
            }
            assertThat(redirector.failures()).isEmpty();
        }
    }
}

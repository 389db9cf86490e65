package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.testing.MySqlServer;

/** Logins to a real MySQL, which wants the password itself from whomever it does not remember. */
@Timeout(120)
class WovenMySqlIT extends WovenOverEngine {
    private static final String BYPASSED = "authentication plugin caching_sha2_password";

    @TempDir
    static Path folder;

    private static MySqlServer server;

    static Stream<JdbcDriver> newest() {
        return Stream.of(JdbcDriver.CONNECTOR_J_26_10_0, JdbcDriver.MARIADB_4_0_0);
    }

    @BeforeAll
    static void start() throws Exception {
        MySqlServer.assumePresent();
        server = MySqlServer.start(
                folder,
                List.of(
                        "CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'admin'",
                        "GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION"));
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    int serverPort() {
        return server.port();
    }

    private static Connection direct(String user, String password) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:mariadb://127.0.0.1:" + server.port() + "/?sslMode=trust", user, password);
    }

    /** The server forgets who has logged in. */
    private static void forget() throws SQLException {
        try (Connection admin = direct("admin", "admin");
                Statement statement = admin.createStatement()) {
            statement.execute("FLUSH PRIVILEGES");
        }
    }

    private static Connection connect(JdbcDriver driver, ClassLoader loader, String options) throws Exception {
        String url = driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?sslMode="
                + (isConnectorJ(driver) ? "DISABLED" : "disable") + options;
        return open(driver, loader, url, "demo", "demo");
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aPasswordThatTheDriverWouldNotSendIsNotSentByTheEngine(JdbcDriver driver) throws Exception {
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real)) {
            forget();
            Throwable usual = catchThrowable(() -> connect(driver, plain, ""));
            assertThat(usual).isInstanceOf(SQLException.class);

            assertThatThrownBy(() -> connect(driver, loader, "")).hasMessage(usual.getMessage());
            assertThat(redirector.bypassed()).containsOnly(BYPASSED);
            redirector.bypassed().clear();

            // A login over TLS, and the server remembers.
            direct("demo", "demo").close();
            try (Connection first = connect(driver, loader, "")) {
                assertThat(one(first)).isEqualTo(1);
                assertThat(redirector.bypassed()).isEmpty();

                forget();
                assertThatThrownBy(() -> connect(driver, loader, ""))
                        .as("it is found out when the driver cannot connect by itself any more")
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("allowPublicKeyRetrieval");
                assertThatThrownBy(() -> connect(driver, loader, "")).hasMessage(usual.getMessage());
                assertThat(redirector.bypassed()).containsOnly(BYPASSED);
                redirector.bypassed().clear();

                direct("demo", "demo").close();
                try (Connection second = connect(driver, loader, "")) {
                    assertThat(one(second)).isEqualTo(1);
                }
                assertThat(redirector.bypassed()).isEmpty();
                assertThat(one(first)).isEqualTo(1);
            }
            assertThat(redirector.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aLoginIsTriedInTimeAlsoWhenTheOneBeforeWasNotAndAConnectionIsIdle(JdbcDriver driver) throws Exception {
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real)) {
            direct("demo", "demo").close();
            connect(driver, loader, "").close();
            forget();
            // With other capabilities, for which the idle one will not do.
            String other = "&useAffectedRows=true";
            Throwable usual = catchThrowable(() -> connect(driver, plain, other));
            assertThatThrownBy(() -> connect(driver, loader, other)).hasMessageContaining("allowPublicKeyRetrieval");
            assertThatThrownBy(() -> connect(driver, loader, other)).hasMessage(usual.getMessage());
            assertThat(redirector.bypassed()).containsOnly(BYPASSED);
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aPasswordThatNobodyHasLoggedInWithIsTriedInTimeAlsoWhenAConnectionIsIdle(JdbcDriver driver) throws Exception {
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real)) {
            direct("demo", "demo").close();
            connect(driver, loader, "").close();
            String url = driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?sslMode="
                    + (isConnectorJ(driver) ? "DISABLED" : "disable");
            Throwable usual = catchThrowable(() -> open(driver, plain, url, "demo", "wrong"));
            assertThat(usual).isInstanceOf(SQLException.class);

            assertThatThrownBy(() -> open(driver, loader, url, "demo", "wrong")).hasMessage(usual.getMessage());
            assertThat(redirector.bypassed()).containsOnly(BYPASSED);
            redirector.bypassed().clear();

            try (Connection connection = connect(driver, loader, "")) {
                assertThat(one(connection)).isEqualTo(1);
            }
            assertThat(redirector.bypassed()).isEmpty();
        }
    }

    @Test
    void aCertificateThatIsStillToBeProvenGetsNoPassword() throws Exception {
        JdbcDriver driver = JdbcDriver.MARIADB_4_0_0;
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real)) {
            forget();
            String url = driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?sslMode=verify-full";
            Throwable usual = catchThrowable(() -> open(driver, plain, url, "demo", "demo"));
            assertThat(usual).isInstanceOf(SQLException.class);

            Throwable refused = catchThrowable(() -> open(driver, loader, url, "demo", "demo"));
            assertThat(withoutNumber(refused)).isEqualTo(withoutNumber(usual));
            assertThat(redirector.bypassed()).containsOnly(BYPASSED);
        }
    }

    private static String withoutNumber(Throwable failure) {
        return String.valueOf(failure.getMessage()).replaceAll("\\(conn=\\d+\\) ", "");
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aServerWhoseKeyTheDriverHasIsNotAskedForOne(JdbcDriver driver) throws Exception {
        Path key = folder.resolve(Path.of("mysql", "public_key.pem")).toAbsolutePath();
        String option = "&allowPublicKeyRetrieval=true&"
                + (isConnectorJ(driver) ? "serverRSAPublicKeyFile=" : "serverRsaPublicKeyFile=") + key;
        try (WovenLoader loader = woven(driver, real)) {
            forget();
            try (Connection connection = connect(driver, loader, option)) {
                assertThat(one(connection)).isEqualTo(1);
            }
            assertThat(redirector.bypassed())
                    .as("the driver sends the password by itself")
                    .containsOnly(BYPASSED);
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aServerThatMayBeAskedIs(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver, real)) {
            forget();
            try (Connection connection = connect(driver, loader, "&allowPublicKeyRetrieval=true")) {
                assertThat(one(connection)).isEqualTo(1);
            }
            assertThat(redirector.bypassed()).isEmpty();
            assertThat(redirector.failures()).isEmpty();
        }
    }
}

package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.testing.MariaDbServer;

/** Accounts whose authentication the engine cannot do, or that the server refuses. */
class WovenAccountsIT extends WovenOverEngine {
    /** Has a plugin that MariaDB still has and the engine does not. */
    private static final String OLD = "oldpassword";

    private static final String BYPASSED = "authentication plugin mysql_old_password";

    private static final Set<JdbcDriver> NEWEST = EnumSet.of(
            JdbcDriver.CONNECTOR_J_26_10_0,
            JdbcDriver.CONNECTOR_J_5_1_49,
            JdbcDriver.MARIADB_4_0_0,
            JdbcDriver.MARIADB_2_7_13);

    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @BeforeAll
    static void start() throws Exception {
        List<String> options = new ArrayList<>(List.of(Accounts.serverOptions(folder, false)));
        options.add("--secure-auth=OFF");
        server = MariaDbServer.start(folder, options.toArray(String[]::new));
        Path hash = folder.resolve("hash");
        server.administer("SELECT OLD_PASSWORD('" + Accounts.PASSWORD + "') INTO OUTFILE '" + hash + "'");
        server.administer("CREATE USER '" + OLD + "'@'127.0.0.1' IDENTIFIED VIA mysql_old_password USING '"
                + Files.readString(hash).strip() + "'; GRANT ALL ON " + Scenario.SCHEMA + ".* TO '" + OLD
                + "'@'127.0.0.1'");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    int serverPort() {
        return server.port();
    }

    private static long connections(Connection admin) throws SQLException {
        try (Statement statement = admin.createStatement();
                ResultSet rows = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Connections'")) {
            rows.next();
            return rows.getLong(2);
        }
    }

    private static String attempt(JdbcDriver driver, URLClassLoader loader, String user, String password) {
        try (Connection connection = driver.connect(loader, server.port(), Scenario.SCHEMA, user, password)) {
            return ScenarioRun.text(connection, "SELECT CURRENT_USER()");
        } catch (SQLException e) {
            return e.getClass().getName() + " " + e.getErrorCode() + " " + e.getSQLState();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void anAccountThatTheEngineCannotLogInIsTheDriversOwn(JdbcDriver driver) throws Exception {
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real);
                Connection admin = ScenarioRun.admin(server.port())) {
            String usual = attempt(driver, plain, OLD, Accounts.PASSWORD);

            assertThat(attempt(driver, loader, OLD, Accounts.PASSWORD)).isEqualTo(usual);
            assertThat(redirector.bypassed()).containsOnly(BYPASSED);
            assertThat(redirector.failures()).isEmpty();

            // From now on it is known, and the backend is not asked for it.
            long before = connections(admin);
            assertThat(attempt(driver, plain, OLD, Accounts.PASSWORD)).isEqualTo(usual);
            long needed = connections(admin) - before;
            assertThat(attempt(driver, loader, OLD, Accounts.PASSWORD)).isEqualTo(usual);
            assertThat(connections(admin) - before).isEqualTo(2 * needed);
            assertThat(redirector.bypassed()).hasSizeGreaterThan(1).containsOnly(BYPASSED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CONNECTOR_J_26_10_0", "CONNECTOR_J_5_1_49"})
    void aPluginThatTheUrlForbidsIsLeftToTheDriver(JdbcDriver driver) throws Exception {
        String url = driver.scheme() + "//127.0.0.1:" + server.port()
                + "/?useSSL=false&disabledAuthenticationPlugins=mysql_clear_password";
        try (WovenLoader loader = woven(driver, real);
                Connection connection = open(driver, loader, url, "demo", "demo")) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(redirector.bypassed()).containsOnly("authentication plugin");
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aRefusalIsTheServersAndAsksItOnce(JdbcDriver driver) throws Exception {
        try (URLClassLoader plain = driver.load();
                WovenLoader loader = woven(driver, real);
                Connection admin = ScenarioRun.admin(server.port())) {
            long before = connections(admin);
            Throwable usual =
                    catchThrowable(() -> driver.connect(plain, server.port(), Scenario.SCHEMA, "demo", "wrong"));
            long needed = connections(admin) - before;

            Throwable refused =
                    catchThrowable(() -> driver.connect(loader, server.port(), Scenario.SCHEMA, "demo", "wrong"));

            assertThat(ServerText.of(refused)).isEqualTo(ServerText.of(usual));
            assertThat(connections(admin) - before).isEqualTo(2 * needed);
            assertThat(redirector.bypassed()).isEmpty();
            assertThat(redirector.failures()).isEmpty();
        }
    }

    /** What the server has said, without the connection's number that MariaDB's drivers put before it. */
    private record ServerText(String message, int code) {
        static ServerText of(Throwable failure) {
            SQLException exception = (SQLException) failure;
            return new ServerText(exception.getMessage().replaceAll("\\(conn=\\d+\\) ", ""), exception.getErrorCode());
        }
    }

    /** Logs in as the user, and says how many connections that took. */
    private static long logIn(JdbcDriver driver, WovenLoader loader, Connection admin, String user, String password)
            throws SQLException {
        long before = connections(admin);
        try (Connection connection = driver.connect(loader, server.port(), Scenario.SCHEMA, user, password)) {
            assertThat(ScenarioRun.text(connection, "SELECT CURRENT_USER()")).startsWith(user);
            assertThat(ScenarioRun.text(connection, "SELECT DATABASE()")).isEqualTo(Scenario.SCHEMA);
        }
        return connections(admin) - before;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theLoginThatShowsWhatAnAccountNeedsIsTheSessions(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver, real);
                Connection admin = ScenarioRun.admin(server.port())) {
            // Of older drivers it is not known in advance how they log in.
            assertThat(logIn(driver, loader, admin, "demo", "demo")).isBetween(1L, NEWEST.contains(driver) ? 1L : 2L);
            assertThat(logIn(driver, loader, admin, Accounts.NATIVE, Accounts.PASSWORD))
                    .isEqualTo(1);
            assertThat(logIn(driver, loader, admin, "demo", "demo"))
                    .as("from the pool")
                    .isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void anAccountOfOneConnectionHasIt(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver, real);
                Connection connection = driver.connect(
                        loader, server.port(), Scenario.SCHEMA, Accounts.ONE_CONNECTION, Accounts.PASSWORD)) {
            assertThat(ScenarioRun.text(connection, "SELECT 1")).isEqualTo("1");
        }
    }
}

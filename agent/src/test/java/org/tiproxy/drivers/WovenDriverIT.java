package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.agent.bootstrap.Bridge;
import org.tiproxy.agent.driver.DriverHook;
import org.tiproxy.common.HostPort;
import org.tiproxy.drivers.JdbcDriver.Family;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.SocketDriverProxy;
import org.tiproxy.testing.MariaDbServer;

/** Every driver, woven, with a socket in memory, in front of a real server: what the driver's own code does with it. */
@Timeout(120)
class WovenDriverIT {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    private final RecordingRedirector redirector = new RecordingRedirector();
    private final SocketDriverProxy engine = new SocketDriverProxy();

    static Stream<JdbcDriver> drivers() {
        String only = System.getProperty("tiproxy.driver", "");
        return JdbcDriver.WOVEN.stream().filter(driver -> driver.toString().contains(only));
    }

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, Accounts.serverOptions(folder, false));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void removeHook() {
        Bridge.HOOK = null;
    }

    private WovenLoader woven(JdbcDriver driver) throws IOException {
        return woven(driver, engine);
    }

    private WovenLoader woven(JdbcDriver driver, DriverProxy proxy) throws IOException {
        Bridge.HOOK = new DriverHook(redirector, proxy);
        return new WovenLoader(driver);
    }

    private static Connection connect(JdbcDriver driver, WovenLoader loader, String... options) throws SQLException {
        return driver.connect(loader, server.port(), "demo", "demo", "demo", options);
    }

    private static boolean isConnectorJ(JdbcDriver driver) {
        return driver.family().isConnectorJ();
    }

    private static boolean isMariaDb2(JdbcDriver driver) {
        return driver.compareTo(JdbcDriver.MARIADB_2_7_13) >= 0;
    }

    private static int one(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT 1")) {
            assertThat(rows.next()).isTrue();
            return rows.getInt(1);
        }
    }

    // ---- opening and closing

    @ParameterizedTest
    @MethodSource("drivers")
    void theConnectionIsTheEnginesWithWhatTheDriverWasGiven(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            try (Connection connection = connect(driver, loader, "connectTimeout=7000")) {
                assertThat(one(connection)).isEqualTo(1);
                assertThat(engine.open()).isEqualTo(1);
            }
            assertThat(engine.logins()).singleElement().satisfies(login -> {
                assertThat(login.address()).isEqualTo(new HostPort("127.0.0.1", server.port()));
                assertThat(login.user()).isEqualTo("demo");
                assertThat(login.password().reveal()).isEqualTo("demo");
                assertThat(login.timeout()).isBetween(Duration.ofSeconds(6), Duration.ofSeconds(7));
            });
            assertThat(redirector.targets()).hasSize(1);
            assertThat(redirector.bypassed()).isEmpty();
            assertThat(redirector.failures()).isEmpty();
            assertThat(redirector.drivers()).hasSize(1);
            // T3: closing does not wait for anything, and leaves nothing open.
            await().until(() -> engine.open() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aConnectionThatTheRulesExcludeIsTheDriversOwn(JdbcDriver driver) throws Exception {
        redirector.setRedirecting(false);
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(engine.logins()).isEmpty();
            assertThat(redirector.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aWrongPasswordIsRefusedInTheServersWords(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            assertThatThrownBy(() -> driver.connect(loader, server.port(), "demo", "demo", "wrong"))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            refused -> assertThat(refused.getErrorCode()).isEqualTo(1045));
            await().until(() -> engine.open() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aServerThatIsNotThereIsReportedAsWithoutUs(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        try (var plain = driver.load();
                WovenLoader loader = woven(driver)) {
            Throwable usual = catchThrowable(() -> driver.connect(plain, nobody, "demo", "demo", "demo"));
            assertThatThrownBy(() -> driver.connect(loader, nobody, "demo", "demo", "demo"))
                    .hasMessage(usual.getMessage());
            assertThat(redirector.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void anEngineInTroubleLetsTheDriverConnectByItself(JdbcDriver driver) throws Exception {
        DriverProxy broken = login -> {
            throw new IllegalStateException("out of order");
        };
        try (WovenLoader loader = woven(driver, broken);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(redirector.failures()).singleElement().isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void anEngineThatBreaksBeforeTheGreetingLetsTheDriverConnectByItself(JdbcDriver driver) throws Exception {
        DriverProxy broken = login -> new BrokenConnection();
        try (WovenLoader loader = woven(driver, broken);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(redirector.failures()).singleElement().isInstanceOf(IllegalStateException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void dataSourcesGoThroughTheEngine(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            DataSource source = dataSource(driver, loader, isConnectorJ(driver) ? "MysqlDataSource" : "MariaDbDataSource");
            try (Connection connection = source.getConnection("demo", "demo")) {
                assertThat(one(connection)).isEqualTo(1);
            }
            assertThat(engine.logins()).hasSize(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void xaDataSourcesKeepTheirOwnConnections(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            String name = isConnectorJ(driver) ? "MysqlXADataSource" : "MariaDbDataSource";
            DataSource source = dataSource(driver, loader, name);
            javax.sql.XAConnection xa = ((javax.sql.XADataSource) source).getXAConnection("demo", "demo");
            assertThat(one(xa.getConnection())).isEqualTo(1);
            xa.close();
            if (isConnectorJ(driver)) {
                assertThat(redirector.bypassed()).contains("XA data source");
                assertThat(engine.logins()).isEmpty();
            }
        }
    }

    private static DataSource dataSource(JdbcDriver driver, WovenLoader loader, String name) throws Exception {
        String packageName =
                switch (driver.family()) {
                    case CONNECTOR_J, CONNECTOR_J_8_0_11 -> "com.mysql.cj.jdbc.";
                    case CONNECTOR_J_5 -> "com.mysql.jdbc.jdbc2.optional.";
                    case MARIADB -> "org.mariadb.jdbc.";
                };
        Object source = loader.loadClass(packageName + name).getConstructor().newInstance();
        source.getClass()
                .getMethod("setUrl", String.class)
                .invoke(source, driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?" + plain(driver));
        return (DataSource) source;
    }

    private static String plain(JdbcDriver driver) {
        return switch (driver.family()) {
            case CONNECTOR_J -> "sslMode=DISABLED&allowPublicKeyRetrieval=true";
            case CONNECTOR_J_8_0_11, CONNECTOR_J_5 -> "useSSL=false";
            case MARIADB -> isMariaDb2(driver) ? "useSsl=false" : "sslMode=disable";
        };
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void theDriverChoosesAmongHosts(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        String hosts = "127.0.0.1:" + nobody + ",127.0.0.1:" + server.port();
        List<String> modes = isConnectorJ(driver)
                ? List.of("jdbc:mysql://", "jdbc:mysql:loadbalance://")
                : List.of(isMariaDb2(driver) ? "jdbc:mariadb:failover://" : "jdbc:mariadb:sequential://",
                        "jdbc:mariadb:loadbalance://");
        try (WovenLoader loader = woven(driver)) {
            for (String mode : modes) {
                engine.logins().clear();
                try (Connection connection = open(driver, loader, mode + hosts + "/demo?" + plain(driver))) {
                    assertThat(one(connection)).isEqualTo(1);
                }
                assertThat(engine.logins()).extracting(login -> login.address().port()).contains(server.port());
            }
        }
    }

    private static Connection open(JdbcDriver driver, WovenLoader loader, String url) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", "demo");
        login.setProperty("password", "demo");
        Thread.currentThread().setContextClassLoader(loader);
        try {
            return ((Driver) loader.loadClass(driver.driverClass()).getConstructor().newInstance())
                    .connect(url, login);
        } finally {
            Thread.currentThread().setContextClassLoader(WovenDriverIT.class.getClassLoader());
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void optionsThatCannotBeHonouredKeepTheConnectionTheDriversOwn(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader, "localSocketAddress=127.0.0.1")) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(engine.logins()).isEmpty();
            assertThat(redirector.bypassed()).containsExactly("localSocketAddress");
        }
    }

    // ---- TLS

    private static List<String> demanded(JdbcDriver driver) {
        return switch (driver.family()) {
            case CONNECTOR_J -> List.of("sslMode=REQUIRED", "sslMode=VERIFY_CA");
            case CONNECTOR_J_8_0_11, CONNECTOR_J_5 -> List.of(
                    "useSSL=true&requireSSL=true&verifyServerCertificate=false",
                    "useSSL=true&requireSSL=true&verifyServerCertificate=true");
            case MARIADB -> isMariaDb2(driver)
                    ? List.of("useSsl=true&trustServerCertificate=true", "useSsl=true&disableSslHostnameVerification=true")
                    : List.of("sslMode=trust", "sslMode=verify-full");
        };
    }

    private static String url(JdbcDriver driver, String options) {
        return driver.scheme() + "//127.0.0.1:" + server.port() + "/demo?" + options;
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void tlsThatTheUrlDemandsIsTheBackendsLegs(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection =
                        open(driver, loader, url(driver, demanded(driver).get(0)))) {
            assertThat(engine.encrypted()).isEqualTo(1);
            assertThat(redirector.failures()).isEmpty();
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SHOW SESSION STATUS LIKE 'Ssl_cipher'")) {
                rows.next();
                assertThat(rows.getString(2)).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aCertificateThatTheUrlDoesNotTrustIsNotAccepted(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            assertThatThrownBy(() -> open(driver, loader, url(driver, demanded(driver).get(1)))
                            .close())
                    .isInstanceOf(SQLException.class);
            assertThat(engine.encrypted()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void tlsIsThereWhereTheDriverConnectsByItself(JdbcDriver driver) throws Exception {
        // 5.1 and 8.0.11 insist on TLS versions that today's JDKs and servers do not have.
        assumeThat(driver.family()).isNotIn(Family.CONNECTOR_J_5, Family.CONNECTOR_J_8_0_11);
        assumeThat(driver).isNotIn(JdbcDriver.CONNECTOR_J_8_0_19);
        DriverProxy broken = login -> {
            throw new IllegalStateException("out of order");
        };
        try (WovenLoader loader = woven(driver, broken);
                Connection connection =
                        open(driver, loader, url(driver, demanded(driver).get(0)));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SHOW SESSION STATUS LIKE 'Ssl_cipher'")) {
            rows.next();
            assertThat(rows.getString(2)).isNotEmpty();
        }
    }

    // ---- traps

    private <T> CompletableFuture<T> async(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(work.call());
                    } catch (Exception e) {
                        result.completeExceptionally(e);
                    }
                },
                "application");
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    private static void awaitStatement(String text) {
        await().until(() -> {
            try (Connection admin = ScenarioRun.admin(server.port())) {
                return !ScenarioRun.text(
                                admin,
                                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '" + text + "'")
                        .equals("0");
            }
        });
    }

    private static boolean run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.execute(sql);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t1BatchesThatASecondThreadReadsAreComplete(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            run(connection, "CREATE OR REPLACE TABLE batch (id INT PRIMARY KEY, text VARCHAR(100))");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO batch VALUES (?, ?)")) {
                for (int i = 0; i < 2000; i++) {
                    insert.setInt(1, i);
                    insert.setString(2, "row " + i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).hasSize(2000);
            }
            assertThat(ScenarioRun.text(connection, "SELECT COUNT(*) FROM batch")).isEqualTo("2000");
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t2StatementsThatAreClosedWithoutAnAnswerDoNotStay(JdbcDriver driver) throws Exception {
        String serverSide = isConnectorJ(driver) ? "useServerPrepStmts=true" : "useServerPrepStmts=true&cachePrepStmts=false";
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader, serverSide)) {
            for (int i = 0; i < 10; i++) {
                try (PreparedStatement select = connection.prepareStatement("SELECT ? + " + i)) {
                    select.setInt(1, i);
                    select.executeQuery().close();
                }
            }
            String open = ScenarioRun.text(
                    connection,
                    "SELECT variable_value FROM information_schema.session_status WHERE variable_name ="
                            + " 'COM_STMT_CLOSE'");
            assertThat(Integer.parseInt(open)).isGreaterThanOrEqualTo(9);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t4SocketTimeoutEndsAReadInTime(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            Connection connection = connect(driver, loader);
            connection.setNetworkTimeout(Runnable::run, 300);
            assertThat(connection.getNetworkTimeout()).isEqualTo(300);
            assertThatThrownBy(() -> run(connection, "SELECT SLEEP(20) /* t4 */"))
                    .isInstanceOf(SQLException.class);
            connection.close();
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t5AnIdleConnectionNeedsNoThreadOfOurs(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("tiproxy"));
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t9AServerThatRedirectsDoesNotLeadAroundTheHook(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            assertThat(one(connection)).isEqualTo(1);
            run(connection, "SET SESSION redirect_url = 'mariadb://127.0.0.1:" + server.port() + "/'");
            assertThat(one(connection)).isEqualTo(1);
            // A connection that the driver opens because of it is the engine's like any other.
            assertThat(engine.logins()).hasSameSizeAs(redirector.targets());
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void t10LargeRowsAndPacketsPass(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT REPEAT('x', 20000000)")) {
            assertThat(rows.next()).isTrue();
            assertThat(rows.getString(1)).hasSize(20_000_000);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aStreamedResultIsLeftHalfWay(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(isConnectorJ(driver) ? Integer.MIN_VALUE : 10);
                try (ResultSet rows = statement.executeQuery("SELECT seq FROM seq_1_to_100000")) {
                    rows.next();
                    assertThat(rows.getInt(1)).isEqualTo(1);
                }
            }
            assertThat(one(connection)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aCancelledStatementEndsAndTheConnectionStays(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement()) {
            CompletableFuture<Boolean> sleeping = async(() -> statement.execute("SELECT SLEEP(60) /* cancel */"));
            awaitStatement("SELECT SLEEP(60) /* cancel%");
            statement.cancel();
            // MariaDB answers a SLEEP that was cut short with an error, or with 1.
            assertThat(catchThrowable(() -> sleeping.get(20, TimeUnit.SECONDS)))
                    .satisfiesAnyOf(
                            failure -> assertThat(failure).isNull(),
                            failure -> assertThat(failure).isInstanceOf(ExecutionException.class));
            assertThat(one(connection)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void aQueryTimeoutIsKept(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader);
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            assertThatThrownBy(() -> statement.execute("SELECT SLEEP(30), BENCHMARK(1, 1) /* timeout */"))
                    .isInstanceOf(SQLException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void abortEndsAReadOfAnotherThread(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            Connection connection = connect(driver, loader);
            CompletableFuture<Boolean> sleeping = async(() -> run(connection, "SELECT SLEEP(60) /* abort */"));
            awaitStatement("SELECT SLEEP(60) /* abort%");
            connection.abort(Runnable::run);
            assertThat(catchThrowable(() -> sleeping.get(20, TimeUnit.SECONDS)))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(SQLException.class);
            await().until(() -> engine.open() == 0);
        }
    }

    // ---- credentials

    @ParameterizedTest
    @MethodSource("drivers")
    void aChangedUserIsAnnouncedToTheEngine(JdbcDriver driver) throws Exception {
        assumeThat(isConnectorJ(driver)).isTrue();
        try (WovenLoader loader = woven(driver);
                Connection connection = connect(driver, loader)) {
            connection
                    .getClass()
                    .getMethod("changeUser", String.class, String.class)
                    .invoke(connection, Accounts.NATIVE, Accounts.PASSWORD);
            assertThat(engine.expected()).containsExactly(Accounts.NATIVE + ":" + Accounts.PASSWORD);
            assertThat(ScenarioRun.text(connection, "SELECT CURRENT_USER()")).startsWith(Accounts.NATIVE + "@");
        }
    }

    @ParameterizedTest
    @MethodSource("drivers")
    void thePasswordIsTheOneOfThisVeryConnection(JdbcDriver driver) throws Exception {
        try (WovenLoader loader = woven(driver)) {
            assertThatThrownBy(() -> driver.connect(loader, server.port(), "demo", "demo", "old"))
                    .isInstanceOf(SQLException.class);
            driver.connect(loader, server.port(), "demo", "demo", "demo").close();
            assertThat(engine.logins())
                    .extracting(DriverLogin::password)
                    .extracting(org.tiproxy.common.Secret::reveal)
                    .containsExactly("old", "demo");
            assertThat(engine.logins().toString()).doesNotContain("old");
        }
    }

    /** An engine whose connections do not work. */
    private static final class BrokenConnection implements DriverConnection {
        @Override
        public int read(byte[] target, int offset, int length, int timeoutMillis) {
            throw new IllegalStateException("out of order");
        }

        @Override
        public int available() {
            return 0;
        }

        @Override
        public void write(byte[] source, int offset, int length) {
            throw new IllegalStateException("out of order");
        }

        @Override
        public void expectUser(String user, org.tiproxy.common.Secret password) {}

        @Override
        public void close() {}
    }
}

package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.testing.MariaDbServer;

/** How every driver opens connections through the engine, and when it does not. */
class WovenDriverIT extends WovenDrivers {
    @TempDir
    static Path folder;

    private static MariaDbServer server;

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder, Accounts.serverOptions(folder, false));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    int serverPort() {
        return server.port();
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
            DataSource source =
                    dataSource(driver, loader, isConnectorJ(driver) ? "MysqlDataSource" : "MariaDbDataSource");
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
            assertThat(redirector.bypassed()).containsOnly("XA data source");
            assertThat(engine.logins()).isEmpty();
        }
    }

    private static DataSource dataSource(JdbcDriver driver, WovenLoader loader, String name) throws Exception {
        String packageName = switch (driver.family()) {
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

    @ParameterizedTest
    @MethodSource("drivers")
    void theDriverChoosesAmongHosts(JdbcDriver driver) throws Exception {
        int nobody = MariaDbServer.freePort();
        String hosts = "127.0.0.1:" + nobody + ",127.0.0.1:" + server.port();
        List<String> modes = isConnectorJ(driver)
                ? List.of("jdbc:mysql://", "jdbc:mysql:loadbalance://")
                : List.of(
                        isMariaDb2(driver) ? "jdbc:mariadb:failover://" : "jdbc:mariadb:sequential://",
                        "jdbc:mariadb:loadbalance://");
        try (WovenLoader loader = woven(driver)) {
            for (String mode : modes) {
                engine.logins().clear();
                try (Connection connection = open(driver, loader, mode + hosts + "/demo?" + plain(driver))) {
                    assertThat(one(connection)).isEqualTo(1);
                }
                assertThat(engine.logins())
                        .extracting(login -> login.address().port())
                        .contains(server.port());
            }
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

    // ---- credentials

    @ParameterizedTest
    @MethodSource("drivers")
    void aChangedUserIsAnnouncedToTheEngine(JdbcDriver driver) throws Exception {
        assumeThat(isConnectorJ(driver)).isTrue();
        try (WovenLoader loader = woven(driver);
                Connection connection = driver.connect(loader, server.port(), Scenario.SCHEMA, "demo", "demo")) {
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

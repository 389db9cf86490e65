package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.agent.bootstrap.Bridge;
import org.tiproxy.agent.driver.DriverHook;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.SocketDriverProxy;

/** A driver, woven, with a socket in memory, in front of a real server. */
@Timeout(120)
abstract class WovenDrivers {
    final RecordingRedirector redirector = new RecordingRedirector();
    final SocketDriverProxy engine = new SocketDriverProxy();

    static Stream<JdbcDriver> drivers() {
        String only = System.getProperty("tiproxy.driver", "");
        return JdbcDriver.WOVEN.stream().filter(driver -> driver.toString().contains(only));
    }

    @AfterEach
    void removeHook() {
        Bridge.HOOK = null;
    }

    final WovenLoader woven(JdbcDriver driver) throws IOException {
        return woven(driver, engine);
    }

    final WovenLoader woven(JdbcDriver driver, DriverProxy proxy) throws IOException {
        Bridge.HOOK = new DriverHook(redirector, proxy);
        return new WovenLoader(driver);
    }

    final Connection connect(JdbcDriver driver, WovenLoader loader, String... options) throws SQLException {
        return driver.connect(loader, serverPort(), "demo", "demo", "demo", options);
    }

    static boolean isConnectorJ(JdbcDriver driver) {
        return driver.family().isConnectorJ();
    }

    static boolean isMariaDb2(JdbcDriver driver) {
        return driver.compareTo(JdbcDriver.MARIADB_2_7_13) >= 0;
    }

    static int one(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT 1")) {
            assertThat(rows.next()).isTrue();
            return rows.getInt(1);
        }
    }

    static String plain(JdbcDriver driver) {
        return switch (driver.family()) {
            case CONNECTOR_J -> "sslMode=DISABLED&allowPublicKeyRetrieval=true";
            case CONNECTOR_J_8_0_11, CONNECTOR_J_5 -> "useSSL=false";
            case MARIADB -> isMariaDb2(driver) ? "useSsl=false" : "sslMode=disable";
        };
    }

    static Connection open(JdbcDriver driver, WovenLoader loader, String url) throws Exception {
        return open(driver, loader, url, "demo", "demo");
    }

    static Connection open(JdbcDriver driver, ClassLoader loader, String url, String user, String password)
            throws Exception {
        Properties login = new Properties();
        login.setProperty("user", user);
        login.setProperty("password", password);
        Thread.currentThread().setContextClassLoader(loader);
        try {
            return ((Driver) loader.loadClass(driver.driverClass())
                            .getConstructor()
                            .newInstance())
                    .connect(url, login);
        } finally {
            Thread.currentThread().setContextClassLoader(WovenDrivers.class.getClassLoader());
        }
    }

    static boolean run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.execute(sql);
        }
    }

    /** Where the server listens. */
    abstract int serverPort();
}

package org.tiproxy.drivers;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import org.mariadb.jdbc.Driver;

/** One run of a scenario: over one driver, to the server or to the proxy. */
final class ScenarioRun {
    static final String USER = "demo";
    static final String PASSWORD = "demo";

    private final JdbcDriver driver;
    private final URLClassLoader loader;
    private final int port;
    private final int serverPort;
    private final Path folder;
    private final Transcript out;

    private ScenarioRun(JdbcDriver driver, URLClassLoader loader, int port, int serverPort, Path folder) {
        this.driver = driver;
        this.loader = loader;
        this.port = port;
        this.serverPort = serverPort;
        this.folder = folder;
        this.out = new Transcript(port);
    }

    /**
     * Runs a scenario.
     *
     * @param port where the driver connects
     * @param serverPort where the server itself is
     * @return what it wrote down
     */
    static List<String> of(
            Scenario scenario, JdbcDriver driver, URLClassLoader loader, int port, int serverPort, Path folder)
            throws Exception {
        ScenarioRun run = new ScenarioRun(driver, loader, port, serverPort, folder);
        try (Connection connection = run.admin();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP DATABASE IF EXISTS " + Scenario.SCHEMA);
            statement.execute("CREATE DATABASE " + Scenario.SCHEMA + " CHARACTER SET utf8mb4");
        }
        scenario.run(run);
        return run.out.lines();
    }

    JdbcDriver driver() {
        return driver;
    }

    boolean isConnectorJ() {
        return driver.family().isConnectorJ();
    }

    Transcript out() {
        return out;
    }

    Path folder() {
        return folder;
    }

    /** A connection over the driver. */
    Connection connect(String... options) throws SQLException {
        return connectAs(USER, PASSWORD, options);
    }

    /** A connection over the driver, as another user. */
    Connection connectAs(String user, String password, String... options) throws SQLException {
        return driver.connect(loader, port, Scenario.SCHEMA, user, password, options);
    }

    /** A connection over the driver, to another schema. */
    Connection connectTo(String schema, String... options) throws SQLException {
        return driver.connect(loader, port, schema, USER, PASSWORD, options);
    }

    /** A connection that is not part of what is compared: straight to the server, over a driver of its own. */
    Connection admin() throws SQLException {
        return admin(serverPort);
    }

    /** The same, of any server. */
    static Connection admin(int serverPort) throws SQLException {
        // Not by DriverManager, which would try all the drivers there are.
        return new Driver()
                .connect("jdbc:mariadb://127.0.0.1:" + serverPort + "/?user=demo&password=demo", new Properties());
    }

    /** Executes a statement and notes all its results. */
    void execute(Connection connection, String sql) {
        out.attempt(sql.length() > 200 ? sql.substring(0, 50) + "..." : sql, () -> {
            try (Statement statement = connection.createStatement()) {
                out.results(statement, statement.execute(sql));
            }
        });
    }

    /** Executes statements that have to succeed. */
    static void prepare(Connection connection, String... sqls) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : sqls) {
                statement.execute(sql);
            }
        }
    }

    /** The first column of the first row. */
    static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new IllegalStateException("no row: " + sql);
            }
            return String.valueOf(rows.getString(1));
        }
    }
}

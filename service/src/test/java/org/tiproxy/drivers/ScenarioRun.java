package org.tiproxy.drivers;

import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mariadb.jdbc.Driver;

/** One run of a scenario: over one driver, to the server or to the proxy. */
final class ScenarioRun {
    static final String USER = "demo";
    static final String PASSWORD = "demo";

    private static final Pattern CREATE_OR_REPLACE = Pattern.compile("CREATE OR REPLACE (TABLE|DATABASE) (\\w+)");

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
            if (!isMariaDb(connection)) {
                // What MariaDB's tables of this name have.
                for (int last : new int[] {2, 5, 10, 500, 1000, 20000}) {
                    statement.execute("CREATE VIEW " + Scenario.SCHEMA + ".seq_1_to_" + last
                            + " AS SELECT seq FROM numbers.numbers WHERE seq <= " + last);
                }
            }
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
                .connect(
                        "jdbc:mariadb://127.0.0.1:" + serverPort
                                + "/?user=demo&password=demo&sslMode=disable&allowPublicKeyRetrieval=true",
                        new Properties());
    }

    /** Executes a statement and notes all its results. */
    void execute(Connection connection, String sql) {
        out.attempt(sql.length() > 200 ? sql.substring(0, 50) + "..." : sql, () -> {
            try (Statement statement = connection.createStatement()) {
                out.results(statement, statement.execute(sql));
            }
        });
    }

    private static boolean isMariaDb(Connection connection) throws SQLException {
        return connection.getMetaData().getDatabaseProductVersion().contains("MariaDB");
    }

    /**
     * Executes statements that have to succeed. MySQL does not know CREATE OR REPLACE for tables, and not all of MariaDB's
     * types.
     */
    static void prepare(Connection connection, String... sqls) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : sqls) {
                Matcher replacing = CREATE_OR_REPLACE.matcher(sql);
                if (replacing.lookingAt()) {
                    statement.execute("DROP " + replacing.group(1) + " IF EXISTS " + replacing.group(2));
                    statement.execute("CREATE " + sql.substring(replacing.start(1)));
                } else if (sql.contains("INET6") && !isMariaDb(connection)) {
                    statement.execute(sql.replace("INET6", "VARCHAR(45)").replace("UUID", "CHAR(36)"));
                } else {
                    statement.execute(sql);
                }
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

package org.tiproxy.examples.plainjdbc;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * Opens a connection for every unit of work, as programs without a pool do, and prints how long that took and how many
 * connections the server has seen. Knows nothing of tiproxy.
 *
 * <p>Exit status: 0 all units are done, 1 one of them failed, 2 wrong arguments.
 */
public final class PlainJdbc {
    private static final int DEFAULT_UNITS = 500;

    private final String url;

    private PlainJdbc(String url) {
        this.url = url;
    }

    public static void main(String[] arguments) {
        if (arguments.length < 1 || arguments.length > 2) {
            System.err.println("usage: java -jar plain-jdbc.jar JDBC-URL [UNITS OF WORK]");
            System.exit(2);
        }
        try {
            int units = arguments.length == 2 ? Integer.parseInt(arguments[1]) : DEFAULT_UNITS;
            new PlainJdbc(arguments[0]).run(units, System.out);
        } catch (NumberFormatException e) {
            System.err.println("not a number of units: " + e.getMessage());
            System.exit(2);
        } catch (SQLException e) {
            System.err.println("failed: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run(int units, PrintStream out) throws SQLException {
        try (Connection watching = DriverManager.getConnection(url);
                Statement statement = watching.createStatement()) {
            statement.execute(
                    "CREATE OR REPLACE TABLE payment (id INT AUTO_INCREMENT PRIMARY KEY, cents INT NOT NULL)");
            long connectionsBefore = number(statement, "SHOW GLOBAL STATUS LIKE 'Connections'", 2);
            long started = System.nanoTime();
            for (int unit = 1; unit <= units; unit++) {
                pay(unit);
            }
            long millis = Duration.ofNanos(System.nanoTime() - started).toMillis();
            long connections = number(statement, "SHOW GLOBAL STATUS LIKE 'Connections'", 2) - connectionsBefore;

            out.println("units of work:             " + units);
            out.println("payments, sum in cents:    " + number(statement, "SELECT COUNT(*) FROM payment", 1) + ", "
                    + number(statement, "SELECT SUM(cents) FROM payment", 1));
            out.println("connections at the server: " + connections);
            out.println("time:                      " + millis + " ms");
        }
    }

    /** One unit of work: connects, inserts, reads what was inserted, closes. */
    private void pay(int cents) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            long id = insert(connection, cents);
            try (PreparedStatement select = connection.prepareStatement("SELECT cents FROM payment WHERE id = ?")) {
                select.setLong(1, id);
                try (ResultSet row = select.executeQuery()) {
                    if (!row.next() || row.getInt(1) != cents) {
                        throw new SQLException("payment " + id + " is not what was inserted");
                    }
                }
            }
        }
    }

    private static long insert(Connection connection, int cents) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO payment (cents) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
            insert.setInt(1, cents);
            insert.executeUpdate();
            try (ResultSet key = insert.getGeneratedKeys()) {
                key.next();
                return key.getLong(1);
            }
        }
    }

    private static long number(Statement statement, String sql, int column) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(column);
        }
    }
}

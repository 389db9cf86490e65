package org.tiproxy.examples.namedmodule;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Opens some connections, one after the other, and prints how many the server has seen. Knows nothing of tiproxy. */
public final class NamedModule {
    private static final int UNITS = 50;

    private NamedModule() {}

    public static void main(String[] arguments) throws SQLException {
        if (arguments.length != 1) {
            System.err.println("usage: java -p MODULE-PATH -m org.tiproxy.examples.namedmodule JDBC-URL");
            System.exit(2);
        }
        run(arguments[0], System.out);
    }

    private static void run(String url, PrintStream out) throws SQLException {
        out.println(
                "program's module:          " + NamedModule.class.getModule().getName());
        out.println("driver's module:           "
                + DriverManager.getDriver(url).getClass().getModule().getName());
        try (Connection watching = DriverManager.getConnection(url)) {
            long before = number(watching, "SHOW GLOBAL STATUS LIKE 'Connections'", 2);
            long sum = 0;
            for (int unit = 1; unit <= UNITS; unit++) {
                try (Connection connection = DriverManager.getConnection(url)) {
                    sum += number(connection, "SELECT " + unit, 1);
                }
            }
            long made = number(watching, "SHOW GLOBAL STATUS LIKE 'Connections'", 2) - before;
            out.println("units of work, sum:        " + UNITS + ", " + sum);
            out.println("connections at the server: " + made);
        }
    }

    private static long number(Connection connection, String sql, int column) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(column);
        }
    }
}

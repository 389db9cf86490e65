package org.tiproxy.examples.twodrivers;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * Loads Connector/J from each of the given jars with a class loader of its own, as servers with several applications do,
 * and opens connections with one after the other, in turns. Knows nothing of tiproxy.
 */
public final class TwoDrivers {
    private static final int UNITS = 25;

    private TwoDrivers() {}

    public static void main(String[] arguments) throws IOException, ReflectiveOperationException, SQLException {
        if (arguments.length != 3) {
            System.err.println("usage: java -jar two-drivers.jar JDBC-URL CONNECTOR-J.jar CONNECTOR-J.jar");
            System.exit(2);
        }
        try (URLClassLoader one = loader(arguments[1]);
                URLClassLoader other = loader(arguments[2])) {
            run(arguments[0], driver(one), driver(other));
        }
    }

    private static URLClassLoader loader(String jar) throws IOException {
        return new URLClassLoader(new URL[] {Path.of(jar).toUri().toURL()}, ClassLoader.getPlatformClassLoader());
    }

    private static Driver driver(ClassLoader loader) throws ReflectiveOperationException {
        return (Driver) loader.loadClass("com.mysql.cj.jdbc.Driver")
                .getDeclaredConstructor()
                .newInstance();
    }

    private static void run(String url, Driver one, Driver other) throws SQLException {
        try (Connection watching = one.connect(url, new Properties())) {
            long before = number(watching, "SHOW GLOBAL STATUS LIKE 'Connections'", 2);
            long sumOfOne = 0;
            long sumOfOther = 0;
            for (int unit = 1; unit <= UNITS; unit++) {
                sumOfOne += work(url, one, unit);
                sumOfOther += work(url, other, unit);
            }
            long made = number(watching, "SHOW GLOBAL STATUS LIKE 'Connections'", 2) - before;
            print(url, one, sumOfOne);
            print(url, other, sumOfOther);
            System.out.println("connections at the server: " + made);
        }
    }

    private static long work(String url, Driver driver, int number) throws SQLException {
        try (Connection connection = driver.connect(url, new Properties())) {
            return number(connection, "SELECT " + number, 1);
        }
    }

    private static void print(String url, Driver driver, long sum) throws SQLException {
        try (Connection connection = driver.connect(url, new Properties())) {
            System.out.println(
                    "driver:                    " + connection.getMetaData().getDriverVersion());
        }
        System.out.println("units of work, sum:        " + UNITS + ", " + sum);
    }

    private static long number(Connection connection, String sql, int column) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(column);
        }
    }
}

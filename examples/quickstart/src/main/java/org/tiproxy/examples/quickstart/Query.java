package org.tiproxy.examples.quickstart;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;

/**
 * Runs SQL statements through the quick start's proxy, each as its own argument and all on one connection, and prints
 * their rows and how long connecting took: seconds when the proxy had to start the server for it, milliseconds when the
 * server was running.
 *
 * <p>Connects to 127.0.0.1:4000, or to the address in the environment variable {@code TIPROXY_PROXY_ADDR}. Exit status:
 * 0 all statements ran, 1 one of them or the connection failed, 2 wrong arguments.
 */
public final class Query {
    /** Longer than the proxy's own limit for starting the server, so that the proxy's answer is the one that is seen. */
    private static final Duration CONNECT_TIMEOUT = Duration.ofMinutes(3);

    private Query() {}

    public static void main(String[] arguments) {
        if (arguments.length == 0 || arguments[0].startsWith("-")) {
            System.err.println("usage: query.sh \"SELECT VERSION()\" [more statements]");
            System.exit(2);
        }
        // The driver would print each failed statement a second time.
        System.setProperty("mariadb.logging.disable", "true");
        try {
            run(url(System.getenv()), arguments, System.out);
        } catch (SQLException e) {
            System.err.println("failed: " + e.getMessage());
            System.exit(1);
        }
    }

    /** The address of the demonstration database behind the proxy. */
    static String url(Map<String, String> environment) {
        String address = environment.getOrDefault("TIPROXY_PROXY_ADDR", "127.0.0.1:4000");
        return "jdbc:mariadb://" + address + "/demo?user=demo&password=demo&connectTimeout="
                + CONNECT_TIMEOUT.toMillis();
    }

    private static void run(String url, String[] statements, PrintStream out) throws SQLException {
        long started = System.nanoTime();
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            out.println("connected in " + millisSince(started) + " ms");
            for (String sql : statements) {
                long sent = System.nanoTime();
                boolean hasRows = statement.execute(sql);
                if (hasRows) {
                    try (ResultSet rows = statement.getResultSet()) {
                        new TextTable(rows).print(out);
                    }
                } else {
                    out.println(statement.getUpdateCount() + " rows changed");
                }
                out.println("answered in " + millisSince(sent) + " ms");
            }
        }
    }

    private static long millisSince(long startedNanos) {
        return Duration.ofNanos(System.nanoTime() - startedNanos).toMillis();
    }
}

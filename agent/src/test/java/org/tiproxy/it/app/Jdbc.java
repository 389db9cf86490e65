package org.tiproxy.it.app;

import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** An application that uses a database as its arguments say, in order. */
public final class Jdbc {
    private static final Deque<Connection> OPEN = new ArrayDeque<>();

    private Jdbc() {}

    /** Runs the application. */
    public static void main(String[] args) throws Exception {
        for (String argument : args) {
            String value = argument.substring(argument.indexOf('=') + 1);
            switch (argument.substring(0, argument.indexOf('='))) {
                case "connect" -> connect(value);
                case "close" -> OPEN.pop().close();
                case "query" -> query(value);
                case "beans" -> {
                    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
                    System.out.println(value + " " + server.queryNames(new ObjectName("tiproxy:*"), null));
                }
                case "threads" ->
                    System.out.println(Thread.getAllStackTraces().keySet().stream()
                            .map(Thread::getName)
                            .filter(name -> name.startsWith("tiproxy"))
                            .sorted()
                            .toList());
                case "wait" -> {
                    System.out.println(value);
                    while (System.in.read() != '\n') {
                        // Somebody else's line end.
                    }
                }
                default -> throw new IllegalArgumentException(argument);
            }
        }
        System.out.println("done");
    }

    private static void connect(String url) {
        try {
            OPEN.push(DriverManager.getConnection(url));
            System.out.println("connected");
        } catch (SQLException e) {
            System.out.println("not connected: " + e.getMessage());
        }
    }

    private static void query(String text) throws SQLException {
        try (Statement statement = OPEN.peek().createStatement();
                ResultSet rows = statement.executeQuery(text)) {
            rows.next();
            System.out.println(rows.getString(1));
        }
    }
}

package org.tiproxy.it.app;

import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * An application whose threads wait for connections or for answers, and what becomes of them. Its arguments are the URL,
 * the kind of threads ({@code platform} or {@code virtual}), and what happens.
 */
public final class Waiting {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration AT_ONCE = Duration.ofSeconds(10);

    private Waiting() {}

    /** Runs the application. */
    public static void main(String[] args) throws Exception {
        boolean virtual = args[1].equals("virtual");
        switch (args[2]) {
            case "interrupted-in-the-pool" -> interruptedInThePool(args[0], virtual);
            case "interrupted-in-a-read" -> interruptedInARead(args[0], virtual);
            case "connect-timeout" -> connectTimeout(args[0], args[3]);
            default -> throw new IllegalArgumentException(args[2]);
        }
        System.exit(0);
    }

    /** The pool has one connection, which is in use. */
    private static void interruptedInThePool(String url, boolean virtual) throws Exception {
        AtomicReference<String> outcome = new AtomicReference<>();
        Connection first = DriverManager.getConnection(url);
        Thread waiter = start(virtual, () -> {
            outcome.set(outcomeOf(() -> {
                DriverManager.getConnection(url).close();
                return "connected";
            }));
        });
        await("somebody waits for the pool", () -> pending() == 1);
        long begin = System.nanoTime();
        waiter.interrupt();
        waiter.join(PATIENCE.toMillis());
        System.out.println(outcome.get());
        System.out.println("at once: " + (System.nanoTime() - begin < AT_ONCE.toNanos()));
        System.out.println("nobody waits: " + (pending() == 0));
        first.close();
        try (Connection later = DriverManager.getConnection(url)) {
            System.out.println("later: " + text(later, "SELECT 'works'"));
        }
    }

    private static void interruptedInARead(String url, boolean virtual) throws Exception {
        AtomicReference<String> outcome = new AtomicReference<>();
        // The server may still run the statement of an application that is gone.
        String sql = "SELECT SLEEP(2) /* read by " + ProcessHandle.current().pid() + " */";
        try (Connection observer = DriverManager.getConnection(url)) {
            Connection connection = DriverManager.getConnection(url);
            Thread reader = start(virtual, () -> {
                outcome.set(outcomeOf(() -> text(connection, sql)));
            });
            await(
                    "the statement runs",
                    () -> text(
                                    observer,
                                    "SELECT COUNT(*) FROM information_schema.processlist WHERE info = '" + sql + "'")
                            .equals("1"));
            reader.interrupt();
            reader.join(PATIENCE.toMillis());
            System.out.println(outcome.get());
            System.out.println("valid: " + connection.isValid(10) + ", closed: " + connection.isClosed());
            connection.close();
            System.out.println("observer: " + text(observer, "SELECT 'works'"));
        }
        try (Connection later = DriverManager.getConnection(url)) {
            System.out.println("later: " + text(later, "SELECT 'works'"));
        }
    }

    /** The pool has one connection, which is in use. */
    private static void connectTimeout(String url, String option) throws Exception {
        try (Connection first = DriverManager.getConnection(url)) {
            long begin = System.nanoTime();
            String outcome = outcomeOf(() -> {
                DriverManager.getConnection(url + "&" + option).close();
                return "connected";
            });
            Duration passed = Duration.ofNanos(System.nanoTime() - begin);
            System.out.println(outcome);
            System.out.println("after " + passed.toMillis() + " ms");
            System.out.println("first: " + text(first, "SELECT 'works'"));
        }
        try (Connection later = DriverManager.getConnection(url + "&" + option)) {
            System.out.println("later: " + text(later, "SELECT 'works'"));
        }
    }

    private static String outcomeOf(Callable<String> work) {
        String outcome;
        try {
            outcome = "result " + work.call();
        } catch (SQLException e) {
            outcome = "SQLException of class "
                    + (e.getSQLState() == null ? "" : e.getSQLState().substring(0, 2));
            System.err.println(e);
        } catch (Exception e) {
            outcome = e.toString();
        }
        return outcome + ", interrupted: " + Thread.currentThread().isInterrupted();
    }

    /** The classes are those of a JDK without virtual threads. */
    private static Thread start(boolean virtual, Runnable work) throws ReflectiveOperationException {
        if (virtual) {
            return (Thread)
                    Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
        }
        Thread thread = new Thread(work);
        thread.start();
        return thread;
    }

    private static int pending() throws Exception {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        int pending = 0;
        for (ObjectName pool : beans.queryNames(new ObjectName("tiproxy:type=Pool,*"), null)) {
            pending += (Integer) beans.getAttribute(pool, "Pending");
        }
        return pending;
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not within " + PATIENCE + ": " + what);
            }
            Thread.onSpinWait();
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}

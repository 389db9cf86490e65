package org.tiproxy.it.app;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/**
 * An application of many virtual threads, each of which opens a connection, asks and closes it. Its arguments are the URL
 * and how many threads there are.
 */
public final class Crowd {
    private static final long PATIENCE_SECONDS = 60;

    private Crowd() {}

    /** Runs the application. */
    public static void main(String[] args) throws Exception {
        // Class loading pins whoever does it.
        ask(args[0], -1);
        int count = Integer.parseInt(args[1]);
        CountDownLatch over = new CountDownLatch(count);
        AtomicInteger right = new AtomicInteger();
        Path recorded = Files.createTempFile("crowd", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withoutThreshold().withStackTrace();
            recording.start();
            for (int i = 0; i < count; i++) {
                int number = i;
                start(() -> {
                    try {
                        right.addAndGet(ask(args[0], number) == number ? 1 : 0);
                    } catch (SQLException e) {
                        System.err.println(e);
                    } finally {
                        over.countDown();
                    }
                });
            }
            System.out.println("all have ended: " + over.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
            System.out.println("right answers: " + right);
            System.out.println("connections: " + connections());
            recording.stop();
            recording.dump(recorded);
        }
        RecordingFile.readAllEvents(recorded).forEach(pinned -> System.out.println("pinned: " + pinned));
        Files.delete(recorded);
        System.exit(0);
    }

    private static int connections() throws JMException {
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        int total = 0;
        for (ObjectName pool : beans.queryNames(new ObjectName("tiproxy:type=Pool,*"), null)) {
            total += (Integer) beans.getAttribute(pool, "Total");
        }
        return total;
    }

    private static int ask(String url, int number) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT " + number + ", SLEEP(0.01)")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** The classes are those of a JDK without virtual threads. */
    private static void start(Runnable work) throws ReflectiveOperationException {
        Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
    }
}

package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/** Load by a JDBC driver, where sysbench is not installed: one thread for each connection, prepared statements. */
final class JdbcLoad implements SqlLoad {
    private static final int CONNECT_MINUTES = 2;
    private static final int RANGE = 100;
    private static final int POINT_SELECTS = 10;
    private static final List<String> RANGES = List.of(
            "SELECT c FROM sbtest1 WHERE id BETWEEN ? AND ?",
            "SELECT SUM(k) FROM sbtest1 WHERE id BETWEEN ? AND ?",
            "SELECT c FROM sbtest1 WHERE id BETWEEN ? AND ? ORDER BY c",
            "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN ? AND ? ORDER BY c");
    /** Deadlock, lock wait, changed since it was read: transactions that sysbench tries again without counting them. */
    private static final Set<Integer> RETRIED = Set.of(1213, 1205, 1020, 1062);

    @Override
    public String label() {
        return "JDBC";
    }

    @Override
    public Rate run(InetSocketAddress address, SqlWorkload workload, int connections, Duration duration)
            throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(connections);
        try {
            AtomicLong start = new AtomicLong();
            CyclicBarrier allConnected = new CyclicBarrier(connections, () -> start.set(System.nanoTime()));
            List<Future<Worked>> workers = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                Callable<Worked> worker = () -> work(address, workload, allConnected, start, duration);
                workers.add(threads.submit(worker));
            }
            Histogram latencies = Slice.newHistogram();
            long statements = 0;
            long lastNanos = 0;
            for (Future<Worked> worker : workers) {
                Worked worked = worker.get();
                latencies.add(worked.latencies());
                statements += worked.statements();
                lastNanos = Math.max(lastNanos, worked.nanos());
            }
            return new Rate(statements / (lastNanos / 1e9), latencies.getValueAtPercentile(95) / 1e6);
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** What one connection has done, and how long after the common start its last answer came. */
    private record Worked(long statements, long nanos, Histogram latencies) {}

    private static Worked work(
            InetSocketAddress address,
            SqlWorkload workload,
            CyclicBarrier allConnected,
            AtomicLong start,
            Duration duration)
            throws SQLException, InterruptedException, BrokenBarrierException, TimeoutException {
        try (Connection connection = Database.connect(address);
                Client client = new Client(connection)) {
            allConnected.await(CONNECT_MINUTES, TimeUnit.MINUTES);
            Histogram latencies = Slice.newHistogram();
            long deadline = start.get() + duration.toNanos();
            long before = System.nanoTime();
            while (before - deadline < 0) {
                client.run(workload);
                long now = System.nanoTime();
                latencies.recordValue(Math.min(now - before, latencies.getHighestTrackableValue()));
                before = now;
            }
            return new Worked(client.statements, before - start.get(), latencies);
        }
    }

    /** One connection's statements, all prepared. */
    private static final class Client implements AutoCloseable {
        private final Connection connection;
        private final PreparedStatement pointSelect;
        private final List<PreparedStatement> ranges = new ArrayList<>();
        private final PreparedStatement updateIndexed;
        private final PreparedStatement updateUnindexed;
        private final PreparedStatement delete;
        private final PreparedStatement insert;
        private long statements;

        Client(Connection connection) throws SQLException {
            this.connection = connection;
            pointSelect = connection.prepareStatement("SELECT c FROM sbtest1 WHERE id = ?");
            for (String range : RANGES) {
                ranges.add(connection.prepareStatement(range));
            }
            updateIndexed = connection.prepareStatement("UPDATE sbtest1 SET k = k + 1 WHERE id = ?");
            updateUnindexed = connection.prepareStatement("UPDATE sbtest1 SET c = REVERSE(c) WHERE id = ?");
            delete = connection.prepareStatement("DELETE FROM sbtest1 WHERE id = ?");
            insert = connection.prepareStatement(
                    "INSERT INTO sbtest1 (id, k, c, pad) VALUES (?, 1, REPEAT('c', 119), REPEAT('p', 59))");
        }

        void run(SqlWorkload workload) throws SQLException {
            if (workload == SqlWorkload.POINT_SELECT) {
                execute(pointSelect, anyId());
                return;
            }
            long before = statements;
            connection.setAutoCommit(false);
            try {
                read();
                if (workload == SqlWorkload.READ_WRITE) {
                    write();
                }
                connection.commit();
                statements += 2;
            } catch (SQLException e) {
                if (!RETRIED.contains(e.getErrorCode())) {
                    throw e;
                }
                connection.rollback();
                statements = before;
            } finally {
                connection.setAutoCommit(true);
            }
        }

        private void read() throws SQLException {
            for (int i = 0; i < POINT_SELECTS; i++) {
                execute(pointSelect, anyId());
            }
            for (PreparedStatement range : ranges) {
                int first = anyId();
                range.setInt(2, first + RANGE - 1);
                execute(range, first);
            }
        }

        private void write() throws SQLException {
            execute(updateIndexed, anyId());
            execute(updateUnindexed, anyId());
            int moved = anyId();
            execute(delete, moved);
            execute(insert, moved);
        }

        private void execute(PreparedStatement statement, int id) throws SQLException {
            statement.setInt(1, id);
            if (statement.execute()) {
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        rows.getString(1);
                    }
                }
            }
            statements++;
        }

        private static int anyId() {
            return ThreadLocalRandom.current().nextInt(Database.ROWS) + 1;
        }

        @Override
        public void close() throws SQLException {
            // The statements go with their connection.
            connection.close();
        }
    }
}

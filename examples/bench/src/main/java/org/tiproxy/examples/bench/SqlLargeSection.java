package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** Large results, read row by row and thrown away: a few large rows, and many small ones. */
final class SqlLargeSection implements Section {
    private static final double GOAL_RATIO = 1.0;

    /**
     * Not counted. A relay of 64 KB at a time is compiled after some gigabytes only, and costs twice the processor time
     * before.
     */
    private static final Duration WARM_UP = Duration.ofSeconds(15);

    private static final int RESULT_BYTES = 64 * 1024 * 1024;

    private final SqlTargets targets;
    private final Duration slice;
    private final int rounds;

    SqlLargeSection(SqlTargets targets, Duration slice, int rounds) {
        this.targets = targets;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "mysql-large";
    }

    @Override
    public void run(Report report) throws IOException {
        measure("rows of 1 MB", 1_000_000, report);
        measure("rows of 200 bytes", 200, report);
    }

    private void measure(String label, int rowBytes, Report report) throws IOException {
        Samples rate = new Samples();
        Samples.inTurns(targets.get(), 1, target -> read(target.address(), rowBytes, WARM_UP));
        Samples.inTurns(
                targets.get(), rounds, target -> rate.add(target.kind(), read(target.address(), rowBytes, slice)));
        report.row("MySQL large result, " + label, "MB/s", rate, Goal.atLeastOfHaproxy(GOAL_RATIO));
    }

    /** Reads one result after the other until the time is over; returns MB/s. */
    private double read(InetSocketAddress address, int rowBytes, Duration duration) throws IOException {
        int rowsPerResult = RESULT_BYTES / rowBytes;
        String sql = "SELECT REPEAT('x', %d) FROM seq_1_to_%d".formatted(rowBytes, rowsPerResult);
        try (Connection connection = Database.connect(address);
                Statement statement = connection.createStatement()) {
            // Makes the driver stream the rows.
            statement.setFetchSize(16);
            long rows = 0;
            long start = System.nanoTime();
            do {
                try (ResultSet result = statement.executeQuery(sql)) {
                    while (result.next()) {
                        rows++;
                    }
                }
            } while (System.nanoTime() - start < duration.toNanos());
            return rows * rowBytes / 1e6 / ((System.nanoTime() - start) / 1e9);
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}

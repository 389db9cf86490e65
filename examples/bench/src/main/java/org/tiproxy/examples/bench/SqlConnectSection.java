package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Short visits to the database, several at a time: connect and log in, one query, its answer, close. */
final class SqlConnectSection implements Section {
    private static final int AT_A_TIME = 16;

    private final SqlTargets targets;
    private final Duration slice;
    private final int rounds;

    SqlConnectSection(SqlTargets targets, Duration slice, int rounds) {
        this.targets = targets;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "mysql-connect";
    }

    @Override
    public void run(Report report) throws IOException {
        Samples rate = new Samples();
        Samples.inTurns(targets.get(), 1, target -> visitsPerSecond(target.address()));
        Samples.inTurns(targets.get(), rounds, target -> rate.add(target.kind(), visitsPerSecond(target.address())));
        report.row("MySQL connect, one query, close", "visits/s", rate);
    }

    private double visitsPerSecond(InetSocketAddress address) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
        try {
            long start = System.nanoTime();
            Callable<Integer> visitor = () -> {
                int visits = 0;
                while (System.nanoTime() - start < slice.toNanos()) {
                    Database.visit(address);
                    visits++;
                }
                return visits;
            };
            List<Future<Integer>> visitors = new ArrayList<>();
            for (int i = 0; i < AT_A_TIME; i++) {
                visitors.add(threads.submit(visitor));
            }
            int visits = 0;
            for (Future<Integer> each : visitors) {
                visits += each.get();
            }
            return visits / ((System.nanoTime() - start) / 1e9);
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            threads.shutdownNow();
        }
    }
}

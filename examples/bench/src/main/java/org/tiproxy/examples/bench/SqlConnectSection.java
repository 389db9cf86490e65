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

    private static final List<String> SHARED = List.of("[pool]", "mode = 'session'");
    private static final List<String> KNOWN_USERS = List.of(
            "[pool]",
            "mode = 'session'",
            "[[users]]",
            "name = '" + Database.ACCOUNT + "'",
            "password = '" + Database.ACCOUNT + "'");

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
        report.row("MySQL connect, one query, close", "visits/s", measure(targets.get()));
        List<Target> known = targets.withPool("known-users", KNOWN_USERS);
        report.row("… shared connections, known users", "visits/s", measure(known), Goal.atLeastOfDirect(1));
        List<Target> passThrough = targets.withPool("pass-through", SHARED);
        report.row("… shared connections, pass-through", "visits/s", measure(passThrough), Goal.atLeastOfDirect(1));
    }

    private Samples measure(List<Target> ways) throws IOException {
        Samples rate = new Samples();
        Samples.inTurns(ways, 1, target -> visitsPerSecond(target.address()));
        Samples.inTurns(ways, rounds, target -> rate.add(target.kind(), visitsPerSecond(target.address())));
        return rate;
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

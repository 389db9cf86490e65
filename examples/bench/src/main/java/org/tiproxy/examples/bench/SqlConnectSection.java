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
    /** Not counted. Long enough for a JVM to compile what is used, on cores that have other work too. */
    private static final Duration WARM_UP = Duration.ofSeconds(15);

    private static final List<String> SHARED = List.of("[pool]", "mode = 'session'");
    private static final List<String> KNOWN_USERS = List.of(
            "[pool]",
            "mode = 'session'",
            "[[users]]",
            "name = '" + Database.ACCOUNT + "'",
            "password = '" + Database.ACCOUNT + "'");

    private static final List<String> TLS = List.of("[security.sql-tls]", "skip-ca = true");

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
        report.row("MySQL connect, one query, close", "visits/s", measure(targets.get(), false));
        List<Target> known = targets.withPool("known-users", KNOWN_USERS);
        report.row("… shared connections, known users", "visits/s", measure(known, false), Goal.atLeastOfDirect(1));
        List<Target> passThrough = targets.withPool("pass-through", SHARED);
        report.row(
                "… shared connections, pass-through", "visits/s", measure(passThrough, false), Goal.atLeastOfDirect(1));
        encrypted(report, targets.withOwnTls(), "the server's own certificate", "the tests' MariaDB 11.4");
        encrypted(report, targets.withTls(), "RSA-2048", "openssl");
        onMySql(report, targets.toMySql());
    }

    private void encrypted(Report report, List<Target> ways, String certificate, String need) throws IOException {
        if (ways.isEmpty()) {
            report.note("not measured: MySQL connect with TLS (" + certificate + "), for want of " + need);
            return;
        }
        shared(report, ways, true, ", TLS towards the backend only (" + certificate + ")");
    }

    /** Where a login costs more, and the server is not MariaDB. */
    private void onMySql(Report report, List<Target> ways) throws IOException {
        if (ways.isEmpty()) {
            report.note("not measured: connect to Oracle's MySQL, for want of one (.ci/unpack-mysql)");
            return;
        }
        shared(report, ways, false, ", Oracle's MySQL");
        shared(report, ways, true, ", Oracle's MySQL, TLS towards the backend only (RSA-2048)");
    }

    private void shared(Report report, List<Target> ways, boolean tls, String what) throws IOException {
        List<String> towardsBackend = tls ? TLS : List.of();
        Goal goal = Goal.atLeastOfDirect(tls ? 10 : 1);
        List<Target> known = targets.withPool(ways, "known-users-" + tls, joined(KNOWN_USERS, towardsBackend));
        report.row("… known users" + what, "visits/s", measure(known, tls), goal);
        List<Target> passThrough = targets.withPool(ways, "pass-through-" + tls, joined(SHARED, towardsBackend));
        report.row("… pass-through" + what, "visits/s", measure(passThrough, tls), goal);
    }

    private static List<String> joined(List<String> one, List<String> other) {
        List<String> all = new ArrayList<>(one);
        all.addAll(other);
        return all;
    }

    /** @param tls whether the server is reached with TLS: by the client, or by a tiproxy in its place */
    private Samples measure(List<Target> ways, boolean tls) throws IOException {
        Samples rate = new Samples();
        Samples.inTurns(ways, 1, target -> visitsPerSecond(target, tls, WARM_UP));
        Samples.inTurns(ways, rounds, target -> rate.add(target.kind(), visitsPerSecond(target, tls, slice)));
        return rate;
    }

    private static double visitsPerSecond(Target target, boolean tls, Duration duration) throws IOException {
        boolean byClient = tls && target.kind() != Target.Kind.TIPROXY;
        InetSocketAddress address = target.address();
        ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
        try {
            long start = System.nanoTime();
            Callable<Integer> visitor = () -> {
                int visits = 0;
                while (System.nanoTime() - start < duration.toNanos()) {
                    Database.visit(address, byClient);
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

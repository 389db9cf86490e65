package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the first client of a stopped backend waits beyond the backend's own start: from connecting to the proxy to the
 * first answer, compared with starting the same server by hand and trying to connect every millisecond.
 */
final class HoldSection implements Section {
    private static final double GOAL_MILLIS = 20;
    private static final Duration READY_AFTER = Duration.ofMillis(600);
    /** Between a child's end and the next client, for the proxy to notice the end. */
    private static final Duration SETTLE = Duration.ofMillis(300);

    private final Programs programs;
    private final int rounds;

    HoldSection(Programs programs, int rounds) {
        this.programs = programs;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "hold";
    }

    @Override
    public void run(Report report) throws IOException {
        InetSocketAddress backend = Connections.freeAddress();
        List<String> server = List.of(
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                Programs.classPath(),
                DelayedServer.class.getName(),
                Integer.toString(backend.getPort()),
                Long.toString(READY_AFTER.toMillis()));
        Samples total = new Samples();
        Samples added = new Samples();
        if (programs.hasTiproxy()) {
            List<String> supervisor =
                    new ArrayList<>(List.of("--exec", Programs.java(), "--idle", "0", "--start", "30s", "--"));
            supervisor.addAll(server);
            Programs.Program tiproxy = programs.startTiproxy(backend, supervisor);
            // The first client also waits for the proxy itself, so it is not counted.
            tiproxy.awaitAnswer();
            awaitStopped(backend);
            for (int round = 0; round < rounds; round++) {
                double direct = direct(server, backend);
                long start = System.nanoTime();
                Connections.visit(tiproxy.address());
                double held = millisSince(start);
                awaitStopped(backend);
                total.add(Target.Kind.DIRECT, direct);
                total.add(Target.Kind.TIPROXY, held);
                added.add(Target.Kind.TIPROXY, held - direct);
            }
            programs.stop(tiproxy);
        } else {
            for (int round = 0; round < rounds; round++) {
                total.add(Target.Kind.DIRECT, direct(server, backend));
            }
        }
        report.row("first answer from a stopped server", "ms", total);
        report.row("of that added by the proxy", "ms", added, Goal.atMost(GOAL_MILLIS, "ms"));
    }

    private double direct(List<String> server, InetSocketAddress backend) throws IOException {
        List<String> command = new ArrayList<>(List.of(Programs.java()));
        command.addAll(server);
        long start = System.nanoTime();
        Programs.Program program = programs.start("server", backend, command, Map.of());
        Connections.awaitAnswer(backend, Duration.ofMillis(1), () -> {});
        double millis = millisSince(start);
        programs.stop(program);
        awaitStopped(backend);
        return millis;
    }

    private static void awaitStopped(InetSocketAddress backend) throws IOException {
        Connections.awaitRefused(backend);
        Connections.pause(SETTLE);
    }

    private static double millisSince(long startNanos) {
        return (System.nanoTime() - startNanos) / 1e6;
    }
}

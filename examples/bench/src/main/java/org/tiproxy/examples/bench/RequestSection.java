package org.tiproxy.examples.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Small requests and answers over 1, 16, 64 and 1,000 connections. */
final class RequestSection implements Section {
    private static final double GOAL_RATIO = 0.95;
    private static final int WARM_UP_CONNECTIONS = 16;
    private static final List<Integer> WITH_GOAL = List.of(16, 64);

    private final List<Target> targets;
    private final List<Integer> connectionCounts;
    private final Duration warmUp;
    private final Duration slice;
    private final int rounds;

    RequestSection(List<Target> targets, List<Integer> connectionCounts, Duration warmUp, Duration slice, int rounds) {
        this.targets = targets;
        this.connectionCounts = connectionCounts;
        this.warmUp = warmUp;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "requests";
    }

    @Override
    public void run(Report report) throws IOException {
        Samples.inTurns(targets, 1, target -> {
            try (PingPong pingPong = PingPong.open(target.address(), WARM_UP_CONNECTIONS)) {
                pingPong.run(warmUp);
            }
        });
        for (int connections : connectionCounts) {
            measure(connections, report);
        }
    }

    private void measure(int connections, Report report) throws IOException {
        Samples rate = new Samples();
        Samples p50 = new Samples();
        Samples p95 = new Samples();
        Samples p99 = new Samples();
        Map<Target.Kind, PingPong> load = new EnumMap<>(Target.Kind.class);
        try {
            for (Target target : targets) {
                load.put(target.kind(), PingPong.open(target.address(), connections));
            }
            // The first round is not counted: it brings all programs to speed at this number of connections.
            Samples.inTurns(targets, 1, target -> pingPong(load, target).run(slice));
            Samples.inTurns(targets, rounds, target -> {
                Slice result = pingPong(load, target).run(slice);
                rate.add(target.kind(), result.perSecond());
                p50.add(target.kind(), result.microsAt(50));
                p95.add(target.kind(), result.microsAt(95));
                p99.add(target.kind(), result.microsAt(99));
            });
        } finally {
            for (PingPong pingPong : load.values()) {
                pingPong.close();
            }
        }
        String label = "%,d connection%s".formatted(connections, connections == 1 ? "" : "s");
        if (WITH_GOAL.contains(connections)) {
            report.row(label, "requests/s", rate, Goal.atLeastOfHaproxy(GOAL_RATIO));
        } else {
            report.row(label, "requests/s", rate);
        }
        report.row(label + ", p50", "µs", p50);
        report.row(label + ", p95", "µs", p95);
        report.row(label + ", p99", "µs", p99);
    }

    private static PingPong pingPong(Map<Target.Kind, PingPong> load, Target target) {
        PingPong pingPong = load.get(target.kind());
        if (pingPong == null) {
            throw new IllegalStateException("no connections to " + target.kind());
        }
        return pingPong;
    }
}

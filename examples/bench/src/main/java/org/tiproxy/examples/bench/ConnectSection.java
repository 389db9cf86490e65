package org.tiproxy.examples.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Short visits: connect, one request, its answer, close. */
final class ConnectSection implements Section {
    private final List<Target> targets;
    private final Duration slice;
    private final int rounds;

    ConnectSection(List<Target> targets, Duration slice, int rounds) {
        this.targets = targets;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "connect";
    }

    @Override
    public void run(Report report) throws IOException {
        Samples rate = new Samples();
        Samples p99 = new Samples();
        Samples.inTurns(targets, 1, target -> ConnectRate.run(target.address(), slice));
        Samples.inTurns(targets, rounds, target -> {
            Slice result = ConnectRate.run(target.address(), slice);
            rate.add(target.kind(), result.perSecond());
            p99.add(target.kind(), result.microsAt(99));
        });
        report.row("connect, one request, close", "visits/s", rate);
        report.row("connect, one request, close, p99", "µs", p99);
    }
}

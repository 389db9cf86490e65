package org.tiproxy.examples.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** One workload over several numbers of database connections. */
final class SqlSection implements Section {
    private static final double GOAL_RATIO = 0.95;
    /** Not counted. Between its tenth and its twentieth second under load the JVM still gets faster: it compiles beside it. */
    private static final Duration WARM_UP = Duration.ofSeconds(30);

    private static final int WARM_UP_CONNECTIONS = 32;
    private static final List<Integer> WITH_GOAL = List.of(16, 64);

    private final String name;
    private final SqlTargets targets;
    private final SqlWorkload workload;
    private final List<Integer> connectionCounts;
    private final Duration slice;
    private final int rounds;

    SqlSection(
            String name,
            SqlTargets targets,
            SqlWorkload workload,
            List<Integer> connectionCounts,
            Duration slice,
            int rounds) {
        this.name = name;
        this.targets = targets;
        this.workload = workload;
        this.connectionCounts = connectionCounts;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void run(Report report) throws IOException {
        SqlLoad load = targets.load();
        Samples.inTurns(targets.get(), 1, target -> load.run(target.address(), workload, WARM_UP_CONNECTIONS, WARM_UP));
        for (int connections : connectionCounts) {
            measure(load, connections, report);
        }
    }

    private void measure(SqlLoad load, int connections, Report report) throws IOException {
        Samples rate = new Samples();
        Samples p95 = new Samples();
        Samples.inTurns(targets.get(), rounds, target -> {
            SqlLoad.Rate result = load.run(target.address(), workload, connections, slice);
            rate.add(target.kind(), result.perSecond());
            p95.add(target.kind(), result.millisAt95());
        });
        String label = "MySQL %s (%s), %,d connection%s"
                .formatted(workload.label, load.label(), connections, connections == 1 ? "" : "s");
        boolean pointSelects = workload == SqlWorkload.POINT_SELECT;
        if (pointSelects && WITH_GOAL.contains(connections)) {
            report.row(label, "queries/s", rate, Goal.atLeastOfHaproxy(GOAL_RATIO));
        } else {
            report.row(label, "queries/s", rate);
        }
        if (pointSelects) {
            report.row(label + ", p95", "ms", p95);
        }
    }
}

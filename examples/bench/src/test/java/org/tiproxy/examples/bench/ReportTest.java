package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.tiproxy.examples.bench.Target.Kind;

class ReportTest {
    private final Report report = new Report();

    @Test
    void reachedGoalIsOk() {
        report.row("load", "requests/s", rates(1000, 960), Goal.atLeastOfHaproxy(0.95));

        assertThat(report.toMarkdown()).contains(" 0.96 |").contains(">= 0.95 of HAProxy: ok");
        assertThat(report.below()).isZero();
    }

    @Test
    void missedGoalIsBelow() {
        report.row("load", "requests/s", rates(1000, 940), Goal.atLeastOfHaproxy(0.95));

        assertThat(report.toMarkdown()).contains(">= 0.95 of HAProxy: below");
        assertThat(report.below()).isOne();
    }

    @Test
    void absentTargetSaysWhy() {
        report.absent(Kind.HAPROXY, "not installed");
        Samples samples = new Samples();
        samples.add(Kind.TIPROXY, 5);

        report.row("load", "requests/s", samples, Goal.atLeastOfHaproxy(0.95));

        assertThat(report.toMarkdown()).contains("not installed").contains("not measured");
        assertThat(report.below()).isZero();
    }

    @Test
    void notesFollowTheTable() {
        report.row("load", "requests/s", rates(1, 1));
        report.note("why");

        assertThat(report.toMarkdown()).endsWith("|\n\n- why\n");
    }

    private static Samples rates(double haproxy, double tiproxy) {
        Samples samples = new Samples();
        samples.add(Kind.HAPROXY, haproxy);
        samples.add(Kind.TIPROXY, tiproxy);
        return samples;
    }
}

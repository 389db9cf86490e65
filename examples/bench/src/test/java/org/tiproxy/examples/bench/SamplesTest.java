package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tiproxy.examples.bench.Target.Kind;

class SamplesTest {
    private final Samples samples = new Samples();

    @Test
    void ratioIsFormedWithinEachRound() {
        // The machine was ten times slower in the second round, for both.
        add(Kind.HAPROXY, 100, 10, 100);
        add(Kind.TIPROXY, 90, 9, 110);

        assertThat(samples.medianRatio(Kind.TIPROXY, Kind.HAPROXY)).hasValue(0.9);
        assertThat(samples.median(Kind.TIPROXY)).hasValue(90);
    }

    @Test
    void evenNumberOfRoundsTakesTheMiddleOfTwo() {
        add(Kind.DIRECT, 4, 1, 2, 3);

        assertThat(samples.median(Kind.DIRECT)).hasValue(2.5);
    }

    @Test
    void absentTargetHasNoNumbers() {
        add(Kind.TIPROXY, 1);

        assertThat(samples.median(Kind.HAPROXY)).isEmpty();
        assertThat(samples.medianRatio(Kind.TIPROXY, Kind.HAPROXY)).isEmpty();
    }

    @Test
    void eachRoundBeginsWithAnotherTarget() throws IOException {
        InetSocketAddress nowhere = InetSocketAddress.createUnresolved("nowhere", 1);
        List<Target> targets = List.of(new Target(Kind.DIRECT, nowhere), new Target(Kind.TIPROXY, nowhere));
        List<Kind> order = new ArrayList<>();

        Samples.inTurns(targets, 2, target -> order.add(target.kind()));

        assertThat(order).containsExactly(Kind.DIRECT, Kind.TIPROXY, Kind.TIPROXY, Kind.DIRECT);
    }

    private void add(Kind kind, double... values) {
        for (double value : values) {
            samples.add(kind, value);
        }
    }
}

package org.tiproxy.examples.bench;

import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * What a row is meant to reach.
 *
 * @param text the goal as the table shows it
 * @param measure takes the number to compare from the row's samples; empty when it could not be measured
 * @param limit the number to reach
 * @param atLeast whether more is better
 */
record Goal(String text, Function<Samples, OptionalDouble> measure, double limit, boolean atLeast) {
    static Goal atLeastOfHaproxy(double ratio) {
        return new Goal(
                ">= %s of HAProxy".formatted(ratio),
                samples -> samples.medianRatio(Target.Kind.TIPROXY, Target.Kind.HAPROXY),
                ratio,
                true);
    }

    static Goal atLeastOfDirect(double ratio) {
        return new Goal(
                ">= %s of direct".formatted(ratio),
                samples -> samples.medianRatio(Target.Kind.TIPROXY, Target.Kind.DIRECT),
                ratio,
                true);
    }

    static Goal atMostOfDirect(double ratio) {
        return new Goal(
                "<= %.2f of direct".formatted(ratio),
                samples -> samples.medianRatio(Target.Kind.TIPROXY, Target.Kind.DIRECT),
                ratio,
                false);
    }

    static Goal atMost(double value, String unit) {
        return new Goal(
                "<= %.0f %s".formatted(value, unit), samples -> samples.median(Target.Kind.TIPROXY), value, false);
    }

    /** The goal and whether it is reached. */
    String verdict(Samples samples) {
        OptionalDouble measured = measure.apply(samples);
        if (measured.isEmpty()) {
            return text + ": not measured";
        }
        boolean reached = atLeast ? measured.getAsDouble() >= limit : measured.getAsDouble() <= limit;
        return text + ": " + (reached ? "ok" : "below");
    }
}

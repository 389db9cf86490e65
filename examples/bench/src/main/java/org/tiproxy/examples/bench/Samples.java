package org.tiproxy.examples.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * One number per target and round. A ratio is formed within each round and only then the median is taken: what slows the
 * whole machine down for a while slows both sides of the ratio.
 */
final class Samples {
    private final Map<Target.Kind, List<Double>> values = new EnumMap<>(Target.Kind.class);

    void add(Target.Kind target, double value) {
        values.computeIfAbsent(target, key -> new ArrayList<>()).add(value);
    }

    OptionalDouble median(Target.Kind target) {
        List<Double> own = values.getOrDefault(target, List.of());
        return median(own.stream().mapToDouble(Double::doubleValue).toArray());
    }

    OptionalDouble medianRatio(Target.Kind numerator, Target.Kind denominator) {
        List<Double> above = values.getOrDefault(numerator, List.of());
        List<Double> below = values.getOrDefault(denominator, List.of());
        double[] ratios = new double[Math.min(above.size(), below.size())];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = above.get(i) / below.get(i);
        }
        return median(ratios);
    }

    private static OptionalDouble median(double[] numbers) {
        if (numbers.length == 0) {
            return OptionalDouble.empty();
        }
        Arrays.sort(numbers);
        int middle = numbers.length / 2;
        return OptionalDouble.of(
                numbers.length % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2);
    }

    /**
     * Gives each target one turn per round, and starts each round with another target, so that none of them always runs
     * after the same neighbour.
     */
    static void inTurns(List<Target> targets, int rounds, Turn turn) throws IOException {
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < targets.size(); i++) {
                Target target = targets.get((round + i) % targets.size());
                try {
                    turn.measure(target);
                } catch (IOException e) {
                    throw new IOException(target.kind().label + ": " + e.getMessage(), e);
                }
            }
        }
    }

    /** Measures one target once. */
    interface Turn {
        void measure(Target target) throws IOException;
    }
}

package org.tiproxy.examples.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs {@link PoolBenchmark} with 1 and with 8 threads and prints a Markdown table. */
public final class PoolBench {
    private static final double GOAL = 0.5;
    private static final List<String> SIZES = List.of("32", "4");

    private PoolBench() {}

    public static void main(String[] arguments) throws RunnerException {
        Locale.setDefault(Locale.ROOT);
        List<String> rows = new ArrayList<>();
        for (int threads : List.of(1, 8)) {
            Collection<RunResult> results = new Runner(new OptionsBuilder()
                            .include(PoolBenchmark.class.getName())
                            .threads(threads)
                            .verbosity(VerboseMode.SILENT)
                            .build())
                    .run();
            for (String size : SIZES) {
                rows.add(row(threads, size, results));
            }
        }
        System.out.println("| acquire+release | HikariCP ops/µs | tiproxy ops/µs | ratio | goal |");
        System.out.println("|---|---|---|---|---|");
        rows.forEach(System.out::println);
    }

    private static String row(int threads, String size, Collection<RunResult> results) {
        double hikari = score("hikari", size, results);
        double tiproxy = score("tiproxy", size, results);
        // With fewer connections than threads the pools do different things: tiproxy's serves in order of arrival.
        boolean hasGoal = Integer.parseInt(size) >= threads;
        String verdict = tiproxy / hikari >= GOAL ? ">= " + GOAL + ": ok" : ">= " + GOAL + ": below";
        return "| %d thread%s, %s connections | %.2f | %.2f | %.2f | %s |"
                .formatted(
                        threads,
                        threads == 1 ? "" : "s",
                        size,
                        hikari,
                        tiproxy,
                        tiproxy / hikari,
                        hasGoal ? verdict : "none");
    }

    private static double score(String method, String size, Collection<RunResult> results) {
        for (RunResult result : results) {
            if (result.getParams().getBenchmark().endsWith("." + method)
                    && size.equals(result.getParams().getParam("size"))) {
                return result.getPrimaryResult().getScore();
            }
        }
        throw new IllegalStateException("no result of " + method + " with " + size);
    }
}

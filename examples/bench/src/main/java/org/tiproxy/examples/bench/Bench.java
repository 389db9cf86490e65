package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Compares no proxy, HAProxy and tiproxy in one run on the same cores and prints a Markdown table with ratios.
 *
 * <p>Exit status: 0 the table is complete, whether or not its goals are reached; 1 a part of it could not be measured; 2
 * wrong arguments.
 */
public final class Bench {
    private static final List<Integer> CONNECTIONS = List.of(1, 16, 64, 1000);
    /** Not counted: the JVM gets faster for that long. */
    private static final Duration WARM_UP = Duration.ofSeconds(20);

    private static final int HOLD_ROUNDS = 7;
    private static final double GOAL_HEAP_KILOBYTES = 10;
    private static final double GOAL_SQL_HEAP_KILOBYTES = 12;

    private final Options options;
    private final Programs programs;
    private final Report report = new Report();
    private final PrintStream progress;

    private Bench(Options options, Programs programs, PrintStream progress) {
        this.options = options;
        this.programs = programs;
        this.progress = progress;
    }

    public static void main(String[] arguments) throws IOException {
        Locale.setDefault(Locale.ROOT);
        if (Arrays.asList(arguments).contains("--help")) {
            System.out.print(Options.USAGE);
            return;
        }
        Options options;
        try {
            options = Options.parse(arguments, System.getenv().getOrDefault("BENCH_JAVA_OPTS", ""));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(Options.USAGE);
            System.exit(2);
            return;
        }
        int status;
        try (Programs programs = new Programs(options)) {
            Thread cleanup = new Thread(programs::close, "cleanup");
            Runtime.getRuntime().addShutdownHook(cleanup);
            endAfter(options.timeLimit());
            Bench bench = new Bench(options, programs, System.err);
            boolean complete = bench.run();
            System.out.println(bench.heading());
            System.out.println();
            System.out.print(bench.report.toMarkdown());
            status = complete ? 0 : 1;
        }
        System.exit(status);
    }

    /** Whatever hangs, the run ends: System.exit also runs the cleanup. */
    private static void endAfter(Duration limit) {
        Thread watchdog = new Thread(
                () -> {
                    try {
                        Thread.sleep(limit.toMillis());
                    } catch (InterruptedException e) {
                        return;
                    }
                    System.err.println("not finished after " + limit.toMinutes() + " minutes, giving up");
                    System.exit(1);
                },
                "watchdog");
        watchdog.setDaemon(true);
        watchdog.start();
    }

    private boolean run() throws IOException {
        InetSocketAddress echo = programs.startEcho().address();
        List<Target> targets = startTargets(echo);
        boolean complete = true;
        for (Section section : sections(targets, echo)) {
            if (!options.wants(section.name())) {
                continue;
            }
            long start = System.nanoTime();
            try {
                section.run(report);
            } catch (IOException e) {
                complete = false;
                report.note("Section \"%s\" is incomplete: %s".formatted(section.name(), e.getMessage()));
            }
            progress.printf("%s: %d s%n", section.name(), (System.nanoTime() - start) / 1_000_000_000);
        }
        return complete;
    }

    private List<Section> sections(List<Target> targets, InetSocketAddress echo) {
        SqlTargets sql = new SqlTargets(programs);
        Duration slice = options.slice();
        int rounds = options.rounds();
        // Transactions vary less from one round to the next.
        int fewRounds = Math.max(1, (rounds + 1) / 2);
        return List.of(
                new RequestSection(targets, CONNECTIONS, WARM_UP, slice, rounds),
                new BulkSection(targets, slice, rounds),
                new ConnectSection(targets, slice, rounds),
                new MemorySection(
                        "memory",
                        "idle connections",
                        GOAL_HEAP_KILOBYTES,
                        new MemorySubjects.Echo(programs, echo),
                        options.idleConnections()),
                new HoldSection(programs, Math.min(HOLD_ROUNDS, rounds + 2)),
                new SqlSection("mysql-select", sql, SqlWorkload.POINT_SELECT, CONNECTIONS, slice, rounds),
                new SqlSection("mysql-read-only", sql, SqlWorkload.READ_ONLY, CONNECTIONS, slice, fewRounds),
                new SqlSection("mysql-read-write", sql, SqlWorkload.READ_WRITE, CONNECTIONS, slice, fewRounds),
                new SqlLargeSection(sql, slice, rounds),
                new AgentSection(programs, sql, slice, rounds),
                new SqlConnectSection(sql, slice, rounds),
                new MemorySection(
                        "mysql-memory",
                        "idle MySQL sessions",
                        GOAL_SQL_HEAP_KILOBYTES,
                        new MemorySubjects.Sql(programs, sql),
                        options.idleConnections()));
    }

    private List<Target> startTargets(InetSocketAddress echo) throws IOException {
        List<Target> targets = new ArrayList<>();
        targets.add(new Target(Target.Kind.DIRECT, echo));
        Optional<Path> haproxy = programs.haproxy();
        if (haproxy.isPresent()) {
            targets.add(new Target(
                    Target.Kind.HAPROXY,
                    programs.startHaproxy(haproxy.get(), echo).address()));
        } else {
            report.absent(Target.Kind.HAPROXY, "not installed");
        }
        if (programs.hasTiproxy()) {
            targets.add(
                    new Target(Target.Kind.TIPROXY, programs.startTiproxy(echo).address()));
        } else {
            report.absent(Target.Kind.TIPROXY, "not built");
        }
        return targets;
    }

    private String heading() {
        return "%d cores, %s %s, JDK %s, slices of %s s, %d rounds, medians; %s"
                .formatted(
                        Runtime.getRuntime().availableProcessors(),
                        System.getProperty("os.name"),
                        System.getProperty("os.version"),
                        System.getProperty("java.version"),
                        seconds(options.slice()),
                        options.rounds(),
                        "goals missed: " + report.below());
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f", duration.toMillis() / 1e3);
    }
}

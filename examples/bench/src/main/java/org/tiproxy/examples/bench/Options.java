package org.tiproxy.examples.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What one run measures and for how long.
 *
 * @param slice how long one target is under load before it is the next one's turn
 * @param rounds how many turns each target gets
 * @param only names of the sections to run; empty means all
 * @param idleConnections how many idle connections the memory section opens
 * @param jar tiproxy.jar
 * @param haproxy the HAProxy program, looked up on the PATH unless it is a path
 * @param sysbench the sysbench program, looked up on the PATH unless it is a path
 * @param mariadb the script that runs a MariaDB server
 * @param javaOptions JVM options for tiproxy
 * @param workDirectory for the logs of the programs and HAProxy's configuration
 */
record Options(
        Duration slice,
        int rounds,
        Set<String> only,
        int idleConnections,
        Path jar,
        String haproxy,
        String sysbench,
        Path mariadb,
        List<String> javaOptions,
        Path workDirectory) {
    static final String USAGE = """
            usage: run.sh [options]
              --seconds S      length of one slice of load, default 1.5; fractions allowed
              --rounds N       slices per target and row, default 5
              --only A,B       only these sections: requests, bulk, connect, memory, hold, mysql-select, mysql-read-only,
                               mysql-read-write, mysql-large, agent, mysql-connect, mysql-memory
              --idle N         idle connections in the memory sections, default 5000
              --jar FILE       tiproxy.jar, default agent/target/tiproxy.jar
              --haproxy FILE   HAProxy, default haproxy on the PATH
              --sysbench FILE  sysbench, default sysbench on the PATH; without it the load comes from JDBC
              --mariadb FILE   script that runs a MariaDB server, default examples/quickstart/mariadb.sh
            environment: BENCH_JAVA_OPTS, JVM options for tiproxy
            """;

    /**
     * Reads the command line.
     *
     * @throws IllegalArgumentException with a sentence for the user
     */
    static Options parse(String[] arguments, String javaOptions) {
        double seconds = 1.5;
        int rounds = 5;
        int idle = 5000;
        Set<String> only = new TreeSet<>();
        Path jar = Path.of("agent", "target", "tiproxy.jar");
        String haproxy = "haproxy";
        String sysbench = "sysbench";
        Path mariadb = Path.of("examples", "quickstart", "mariadb.sh");
        Path workDirectory = Path.of("target", "bench");
        for (int i = 0; i < arguments.length; i += 2) {
            String flag = arguments[i];
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException(flag + ": unknown, or its value is missing");
            }
            String value = arguments[i + 1];
            switch (flag) {
                case "--seconds" -> seconds = number(flag, value, 0.05, 60);
                case "--rounds" -> rounds = (int) number(flag, value, 1, 100);
                case "--idle" -> idle = (int) number(flag, value, 1, 100_000);
                case "--only" -> only.addAll(sections(value));
                case "--jar" -> jar = Path.of(value);
                case "--haproxy" -> haproxy = value;
                case "--sysbench" -> sysbench = value;
                case "--mariadb" -> mariadb = Path.of(value);
                case "--work" -> workDirectory = Path.of(value);
                default -> throw new IllegalArgumentException(flag + ": unknown");
            }
        }
        return new Options(
                Duration.ofMillis(Math.round(seconds * 1000)),
                rounds,
                only,
                idle,
                jar,
                haproxy,
                sysbench,
                mariadb,
                Arrays.stream(javaOptions.split("\\s+", -1))
                        .filter(option -> !option.isEmpty())
                        .toList(),
                workDirectory);
    }

    /** Far more than a run takes that does not hang. */
    Duration timeLimit() {
        int slicesPerRound = 3 * 30;
        return slice.multipliedBy(2L * (rounds + 1) * slicesPerRound).plusMinutes(15);
    }

    boolean wants(String section) {
        return only.isEmpty() || only.contains(section);
    }

    private static List<String> sections(String value) {
        List<String> names = new ArrayList<>();
        for (String name : value.split(",", -1)) {
            if (!Section.NAMES.contains(name)) {
                throw new IllegalArgumentException(
                        "--only: no section \"%s\", expected some of %s".formatted(name, Section.NAMES));
            }
            names.add(name);
        }
        return names;
    }

    private static double number(String flag, String value, double min, double max) {
        try {
            double number = Double.parseDouble(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Reported below, like a number out of range.
        }
        throw new IllegalArgumentException(
                "%s: \"%s\" is no number from %s to %s".formatted(flag, value, format(min), format(max)));
    }

    private static String format(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}

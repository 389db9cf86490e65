package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Load by sysbench, a process of its own for each slice. Counts in whole seconds. */
final class Sysbench implements SqlLoad {
    private static final Pattern QUERIES = Pattern.compile("(?m)^\\s+queries:\\s+\\d+\\s+\\(([\\d.]+) per sec\\.\\)");
    private static final Pattern P95 = Pattern.compile("(?m)^\\s+95th percentile:\\s+([\\d.]+)");

    private final Programs programs;
    private final Path program;

    Sysbench(Programs programs, Path program) {
        this.programs = programs;
        this.program = program;
    }

    @Override
    public String label() {
        return "sysbench";
    }

    @Override
    public Rate run(InetSocketAddress address, SqlWorkload workload, int connections, Duration duration)
            throws IOException {
        Process process = programs.startFilter(List.of(
                program.toString(),
                workload.script,
                "--db-driver=mysql",
                "--mysql-host=127.0.0.1",
                "--mysql-port=" + address.getPort(),
                "--mysql-user=" + Database.ACCOUNT,
                "--mysql-password=" + Database.ACCOUNT,
                "--mysql-db=" + Database.ACCOUNT,
                "--tables=1",
                "--table-size=" + Database.ROWS,
                "--threads=" + connections,
                "--time=" + Math.max(1, duration.toSeconds()),
                "run"));
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return parse(output);
    }

    static Rate parse(String output) throws IOException {
        return new Rate(number(QUERIES, output), number(P95, output));
    }

    private static double number(Pattern pattern, String output) throws IOException {
        Matcher matcher = pattern.matcher(output);
        if (!matcher.find()) {
            throw new IOException("sysbench has failed: "
                    + output.lines()
                            .filter(line -> line.contains("FATAL") || line.contains("rror"))
                            .findFirst()
                            .orElse("no result in its output:\n" + output));
        }
        return Double.parseDouble(matcher.group(1));
    }
}

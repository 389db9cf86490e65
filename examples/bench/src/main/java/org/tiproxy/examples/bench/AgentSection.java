package org.tiproxy.examples.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** tiproxy as an agent: in one JVM, connections of the driver's own and redirected ones in turns; and a JVM's start. */
final class AgentSection implements Section {
    private static final double GOAL_START_MILLIS = 40;
    private static final double GOAL_DRIVER_MILLIS = 300;
    /** One of those that are woven. */
    private static final String DRIVER_CLASS = "org.mariadb.jdbc.client.impl.ConnectionHelper";

    private final Programs programs;
    private final SqlTargets sql;
    private final Duration slice;
    private final int rounds;

    AgentSection(Programs programs, SqlTargets sql, Duration slice, int rounds) {
        this.programs = programs;
        this.sql = sql;
        this.slice = slice;
        this.rounds = rounds;
    }

    @Override
    public String name() {
        return "agent";
    }

    @Override
    public void run(Report report) throws IOException {
        if (!programs.hasTiproxy()) {
            report.note("Section \"agent\": tiproxy.jar is not built");
            return;
        }
        int port = sql.get().get(0).address().getPort();
        int tlsPort = 0;
        Optional<Programs.Program> withTls = programs.startMariadbWithTls();
        if (withTls.isPresent()) {
            withTls.get().awaitLogin();
            tlsPort = withTls.get().address().getPort();
        } else {
            report.note("Section \"agent\": the rows with TLS need the openssl program");
        }
        int ownTlsPort = 0;
        Optional<Programs.Program> withOwnTls = programs.startMariadbWithOwnTls();
        if (withOwnTls.isPresent()) {
            withOwnTls.get().awaitLogin();
            ownTlsPort = withOwnTls.get().address().getPort();
        } else {
            report.note("Section \"agent\": the rows with the server's own certificate need the tests' MariaDB 11.4");
        }
        Map<String, Samples> measures = load(port, tlsPort, ownTlsPort);
        withOwnTls.ifPresent(programs::stop);
        withTls.ifPresent(programs::stop);
        for (AgentDriver driver : AgentDriver.values()) {
            row(report, measures, driver.selectOne(), Goal.atMostOfDirect(1.03));
            row(report, measures, driver.primaryKey(), Goal.atMostOfDirect(1.03));
            row(report, measures, driver.visit(), Goal.atMostOfDirect(1 / 3.0));
            row(report, measures, driver.visitWithServersOwnTls(), Goal.atMostOfDirect(0.01));
            row(report, measures, driver.visitWithTls(), Goal.atMostOfDirect(0.01));
            row(report, measures, driver.hikari(), Goal.atMostOfDirect(1.03));
        }
        start(report);
    }

    private static void row(Report report, Map<String, Samples> measures, String name, Goal goal) {
        report.row("agent: " + name, "us", measures.getOrDefault(name, new Samples()), goal);
    }

    private Map<String, Samples> load(int port, int tlsPort, int ownTlsPort) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Programs.java(),
                "-javaagent:" + programs.jar() + "=agent.exclude-addresses=" + AgentLoad.DIRECT_HOST + ":*",
                "-cp",
                Programs.classPath(),
                AgentLoad.class.getName(),
                Integer.toString(port),
                Integer.toString(tlsPort),
                Integer.toString(ownTlsPort),
                Long.toString(Math.max(20, slice.toMillis() / 10)),
                Integer.toString(10 * rounds)));
        Map<String, Samples> measures = new LinkedHashMap<>();
        List<String> rest = new ArrayList<>();
        for (String line : output(command)) {
            String[] fields = line.split("\t", -1);
            if (fields.length == 3) {
                measures.computeIfAbsent(fields[0], key -> new Samples())
                        .add(Target.Kind.valueOf(fields[1]), Double.parseDouble(fields[2]));
            } else {
                rest.add(line);
            }
        }
        if (measures.isEmpty()) {
            throw new IOException("the load did not run: " + String.join("\n", rest));
        }
        return measures;
    }

    /** A JVM that does nothing, and one that loads a driver. */
    private void start(Report report) throws IOException {
        Samples idle = new Samples();
        Samples driver = new Samples();
        Samples addedIdle = new Samples();
        Samples addedEmpty = new Samples();
        Samples addedDriver = new Samples();
        String agent = "-javaagent:" + programs.jar();
        Path emptyJar = programs.workDirectory().resolve("empty-agent.jar");
        EmptyAgent.pack(EmptyAgent.class, emptyJar);
        Path program = programs.workDirectory().resolve("idle.jar");
        EmptyAgent.pack(LoadClass.class, program);
        String idlePath = program.toString();
        String empty = "-javaagent:" + emptyJar;
        for (int round = 0; round < 3 * rounds; round++) {
            double plainIdle = millis(List.of(), idlePath, "");
            double agentIdle = millis(List.of(agent), idlePath, "");
            double emptyIdle = millis(List.of(empty), idlePath, "");
            double plainDriver = millis(List.of(), Programs.classPath(), DRIVER_CLASS);
            double agentDriver = millis(List.of(agent), Programs.classPath(), DRIVER_CLASS);
            idle.add(Target.Kind.DIRECT, plainIdle);
            idle.add(Target.Kind.TIPROXY, agentIdle);
            addedIdle.add(Target.Kind.TIPROXY, agentIdle - plainIdle);
            addedEmpty.add(Target.Kind.DIRECT, emptyIdle - plainIdle);
            driver.add(Target.Kind.DIRECT, plainDriver);
            driver.add(Target.Kind.TIPROXY, agentDriver);
            addedDriver.add(Target.Kind.TIPROXY, (agentDriver - agentIdle) - (plainDriver - plainIdle));
        }
        report.row("agent: a JVM from its start to its end", "ms", idle);
        report.row("… of that added by the agent", "ms", addedIdle, Goal.atMost(GOAL_START_MILLIS, "ms"));
        report.row("… and by an agent that does nothing", "ms", addedEmpty);
        report.row("agent: a JVM that loads a driver", "ms", driver);
        report.row(
                "… of that added at the first driver class", "ms", addedDriver, Goal.atMost(GOAL_DRIVER_MILLIS, "ms"));
    }

    private double millis(List<String> agent, String classPath, String className) throws IOException {
        List<String> command = new ArrayList<>(List.of(Programs.java()));
        command.addAll(agent);
        command.addAll(List.of("-cp", classPath, LoadClass.class.getName(), className));
        long start = System.nanoTime();
        output(command);
        return (System.nanoTime() - start) / 1e6;
    }

    private List<String> output(List<String> command) throws IOException {
        Process process = programs.startFilter(command);
        List<String> lines = new ArrayList<>();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(line);
            }
            int status = process.waitFor();
            if (status != 0) {
                throw new IOException("exit status " + status + ":\n" + String.join("\n", lines));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return lines;
    }
}

package org.tiproxy.examples.plainjdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.examples.testing.ExampleDatabase;
import org.tiproxy.examples.testing.ExampleJvm;
import org.tiproxy.examples.testing.ProjectFiles;

/** The program in real JVMs with a real server: alone, with the agent, and with other agents beside it. */
class PlainJdbcIT {
    private static final int UNITS = 100;
    private static final String CONNECTIONS = "connections at the server:";

    @TempDir
    private static Path folder;

    private static ExampleDatabase database;

    @BeforeAll
    static void startsServer() throws Exception {
        Assumptions.assumeTrue(ExampleDatabase.isPossible(), "no MariaDB server on this machine");
        database = ExampleDatabase.start(folder);
    }

    @AfterAll
    static void endsServer() {
        if (database != null) {
            database.close();
        }
    }

    @Test
    void everyUnitOfWorkIsConnectionOfServerWithoutAgent() throws Exception {
        List<String> lines = run(List.of()).lines();

        assertThat(connections(lines)).isEqualTo(UNITS);
        assertThat(results(lines)).containsExactlyElementsOf(expectedResults());
    }

    @Test
    void unitsOfWorkShareHandfulOfConnectionsWithAgent() throws Exception {
        Run run = run(List.of(ExampleJvm.agentOption()));

        assertThat(connections(run.lines())).as(run.errors()).isLessThanOrEqualTo(5);
        assertThat(results(run.lines())).containsExactlyElementsOf(expectedResults());
    }

    /** Each of the others before ours and after it. */
    static List<List<String>> agentsInBothOrders() {
        String openTelemetry = "-javaagent:" + ProjectFiles.built("agents/opentelemetry-javaagent.jar");
        String jolokia = "-javaagent:" + ProjectFiles.built("agents/jolokia-agent-jvm.jar")
                + "=host=127.0.0.1,port=0,discoveryEnabled=false";
        String tiproxy = ExampleJvm.agentOption();
        return List.of(List.of(openTelemetry, tiproxy, jolokia), List.of(jolokia, tiproxy, openTelemetry));
    }

    @ParameterizedTest
    @MethodSource("agentsInBothOrders")
    void otherAgentsBesideMakeNoDifference(List<String> agents) throws Exception {
        Run run = run(agents);

        assertThat(run.errors()).contains("opentelemetry-javaagent - version").contains("found mariadb-java-client");
        assertThat(run.lines()).anyMatch(line -> line.matches("Jolokia: Agent .* started .*"));
        assertThat(connections(run.lines())).as(run.errors()).isLessThanOrEqualTo(5);
        assertThat(results(run.lines())).containsExactlyElementsOf(expectedResults());
        assertThat(run.errors()).doesNotContainIgnoringCase("exception").doesNotContain("tiproxy: ");
    }

    private record Run(List<String> lines, String errors) {}

    private static Run run(List<String> agents) throws Exception {
        List<String> arguments = new ArrayList<>(agents);
        arguments.addAll(List.of(
                "-jar",
                ProjectFiles.built("plain-jdbc.jar").toString(),
                database.url("mariadb") + "?user=demo&password=demo",
                Integer.toString(UNITS)));
        Map<String, String> environment =
                Map.of("OTEL_TRACES_EXPORTER", "none", "OTEL_METRICS_EXPORTER", "none", "OTEL_LOGS_EXPORTER", "none");
        try (ExampleJvm jvm = ExampleJvm.start(folder, environment, arguments)) {
            return new Run(jvm.awaitEnd(), jvm.errors());
        }
    }

    private static long connections(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith(CONNECTIONS))
                .map(line -> line.substring(CONNECTIONS.length()).trim())
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow(() -> new AssertionError(lines));
    }

    /** What must not depend on the agent. */
    private static List<String> results(List<String> lines) {
        return lines.stream()
                .filter(line -> line.startsWith("units") || line.startsWith("payments"))
                .toList();
    }

    private static List<String> expectedResults() {
        return List.of(
                "units of work:             " + UNITS,
                "payments, sum in cents:    " + UNITS + ", " + UNITS * (UNITS + 1) / 2);
    }
}

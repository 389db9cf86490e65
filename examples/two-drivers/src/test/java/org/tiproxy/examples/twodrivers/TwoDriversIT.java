package org.tiproxy.examples.twodrivers;

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
import org.tiproxy.examples.testing.ExampleDatabase;
import org.tiproxy.examples.testing.ExampleJvm;
import org.tiproxy.examples.testing.ProjectFiles;

/** The program in real JVMs with a real server. */
class TwoDriversIT {
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
        try (ExampleJvm jvm = start(List.of())) {
            List<String> lines = jvm.awaitEnd();

            assertResults(lines);
            assertThat(lines.get(4)).isEqualTo("connections at the server: 50");
        }
    }

    @Test
    void bothDriversAreRedirectedWithAgent() throws Exception {
        try (ExampleJvm jvm = start(List.of(ExampleJvm.agentOption()))) {
            List<String> lines = jvm.awaitEnd();

            assertResults(lines);
            assertThat(lines.get(4)).as(jvm.errors()).matches("connections at the server: [0-5]");
        }
    }

    private static void assertResults(List<String> lines) {
        assertThat(lines).hasSize(5);
        assertThat(lines.get(0)).contains("8.0.33");
        assertThat(lines.get(1)).isEqualTo("units of work, sum:        25, 325");
        assertThat(lines.get(2)).contains("26.10.0");
        assertThat(lines.get(3)).isEqualTo("units of work, sum:        25, 325");
    }

    private static ExampleJvm start(List<String> agents) throws Exception {
        List<String> arguments = new ArrayList<>(agents);
        arguments.addAll(List.of(
                "-jar",
                ProjectFiles.built("two-drivers.jar").toString(),
                database.url("mysql") + "?user=demo&password=demo",
                ProjectFiles.built("drivers/mysql-connector-j-8.0.33.jar").toString(),
                ProjectFiles.built("drivers/mysql-connector-j-26.10.0.jar").toString()));
        return ExampleJvm.start(folder, Map.of(), arguments);
    }
}

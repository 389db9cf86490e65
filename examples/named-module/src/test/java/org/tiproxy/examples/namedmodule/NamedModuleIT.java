package org.tiproxy.examples.namedmodule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
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
class NamedModuleIT {
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
            assertThat(lines.get(3)).isEqualTo("connections at the server: 50");
        }
    }

    @Test
    void driverOnModulePathIsRedirectedWithAgent() throws Exception {
        try (ExampleJvm jvm = start(List.of(ExampleJvm.agentOption()))) {
            List<String> lines = jvm.awaitEnd();

            assertResults(lines);
            assertThat(lines.get(3)).as(jvm.errors()).matches("connections at the server: [0-5]");
        }
    }

    private static void assertResults(List<String> lines) {
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).isEqualTo("program's module:          org.tiproxy.examples.namedmodule");
        assertThat(lines.get(1)).isEqualTo("driver's module:           org.mariadb.jdbc");
        assertThat(lines.get(2)).isEqualTo("units of work, sum:        50, 1275");
    }

    private static ExampleJvm start(List<String> agents) throws Exception {
        List<String> arguments = new ArrayList<>(agents);
        arguments.addAll(List.of(
                "--module-path",
                ProjectFiles.built("named-module.jar") + File.pathSeparator + ProjectFiles.built("lib"),
                "--module",
                "org.tiproxy.examples.namedmodule/org.tiproxy.examples.namedmodule.NamedModule",
                // This driver asks for TLS unless it is told not to, and the server has none.
                database.url("mariadb") + "?user=demo&password=demo&sslMode=disable"));
        return ExampleJvm.start(folder, Map.of(), arguments);
    }
}

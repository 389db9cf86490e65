package org.tiproxy.examples.plainjdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.examples.testing.ExampleDatabase;
import org.tiproxy.examples.testing.ProjectFiles;

/** run.sh as a user runs it, but on a free port and with what is built already. */
class RunScriptIT {
    private static final int UNITS = 20;

    @TempDir
    private Path folder;

    @Test
    void scriptShowsBothRunsAndEndsItsServer() throws Exception {
        Assumptions.assumeTrue(ExampleDatabase.isPossible(), "no MariaDB server on this machine");
        Path output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of("run.sh").toAbsolutePath().toString(), Integer.toString(UNITS))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("EXAMPLE_BUILD", "no");
        builder.environment().put("MARIADB_PORT", Integer.toString(ProjectFiles.freePort()));
        builder.environment().put("MARIADB_DATA", folder.resolve("data").toString());

        Process script = builder.start();
        try {
            assertThat(script.waitFor(5, TimeUnit.MINUTES))
                    .as(Files.readString(output))
                    .isTrue();
        } finally {
            script.descendants().forEach(ProcessHandle::destroyForcibly);
            script.destroyForcibly();
        }

        assertThat(script.exitValue()).as(Files.readString(output)).isZero();
        assertThat(Files.readString(output))
                .containsSubsequence(
                        "java -jar plain-jdbc.jar",
                        "connections at the server: " + UNITS,
                        "java -javaagent:tiproxy.jar -jar plain-jdbc.jar",
                        "connections at the server: ");
        // The server removes it when it has ended in good order.
        assertThat(folder.resolve("data").resolve("mariadb.pid")).doesNotExist();
    }
}

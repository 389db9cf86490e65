package org.tiproxy.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A scenario's two transcripts. They are kept below {@code target/transcripts}, to be read by people. */
final class Comparison {
    private static final Path TRANSCRIPTS = Path.of("target", "transcripts");

    private Comparison() {}

    /** Runs a scenario to the server and to the proxy, and fails if it sees a difference. */
    static void of(
            String name,
            Scenario scenario,
            JdbcDriver driver,
            URLClassLoader loader,
            int serverPort,
            int proxyPort,
            Path folder)
            throws Exception {
        List<String> direct = ScenarioRun.of(scenario, driver, loader, serverPort, serverPort, folder);
        keep(driver + " " + name + " direct", direct);
        List<String> proxied = ScenarioRun.of(scenario, driver, loader, proxyPort, serverPort, folder);
        keep(driver + " " + name + " proxied", proxied);
        assertThat(direct).as("what there is to compare").isNotEmpty();
        assertThat(proxied).isEqualTo(direct);
    }

    private static void keep(String name, List<String> lines) throws IOException {
        Files.createDirectories(TRANSCRIPTS);
        Files.write(TRANSCRIPTS.resolve(name.replaceAll("[^A-Za-z0-9.-]+", "_") + ".txt"), lines);
    }
}

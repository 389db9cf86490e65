package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every script of jmx-scripts, with the real jmxterm, against a running service. */
@Timeout(180)
class JmxScriptsIT {
    private static final Path SCRIPTS =
            Path.of("..", "jmx-scripts").toAbsolutePath().normalize();
    private static final Path JMXTERM = Path.of("target", "jmxterm.jar").toAbsolutePath();

    @TempDir
    Path folder;

    private TiProxyJar tiproxy;

    @BeforeAll
    static void bePatient() {
        Awaitility.setDefaultTimeout(TiProxyJar.PATIENCE);
    }

    @BeforeEach
    void start() throws Exception {
        tiproxy = new TiProxyJar(folder.resolve("state"));
        tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
    }

    @AfterEach
    void stop() throws Exception {
        tiproxy.close();
    }

    private String run(String... arguments) throws Exception {
        return run(0, arguments);
    }

    private String run(int status, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(SCRIPTS.resolve("tiproxy-jmx").toString(), "--url", "127.0.0.1:" + tiproxy.jmxPort));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("JMXTERM_JAR", JMXTERM.toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isEqualTo(status);
        return said;
    }

    @Test
    void everyScriptIsTestedHere() throws Exception {
        try (Stream<Path> files = Files.list(SCRIPTS)) {
            Set<String> scripts = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".jmx"))
                    .map(name -> name.replace(".jmx", ""))
                    .collect(Collectors.toSet());
            assertThat(scripts)
                    .containsExactlyInAnyOrder(
                            "status",
                            "start",
                            "stop",
                            "restart",
                            "pause",
                            "resume",
                            "drain",
                            "connections",
                            "kill-session",
                            "kill-query",
                            "watch",
                            "pool",
                            "pool-connections",
                            "pool-evict-idle",
                            "pool-soft-evict",
                            "pool-evict-user",
                            "pool-suspend",
                            "pool-resume",
                            // See AgentManagementIT.
                            "agent",
                            "agent-enable",
                            "agent-disable");
        }
    }

    @Test
    void startStatusRestartAndStopGovernTheChild() throws Exception {
        assertThat(run("status")).contains("CLOSED", "RUNNING", "127.0.0.1:" + tiproxy.port);

        run("start");
        assertThat(tiproxy.supervisor("State")).isEqualTo("OPENED");
        String first = tiproxy.supervisor("Pid");
        assertThat(run("status")).contains("OPENED", first);

        run("restart");
        assertThat(tiproxy.supervisor("State")).isEqualTo("OPENED");
        assertThat(tiproxy.supervisor("Pid")).isNotEqualTo(first);

        run("stop");
        assertThat(tiproxy.supervisor("State")).isEqualTo("CLOSED");
        assertThat(tiproxy.supervisor("Pid")).isEqualTo("0");
    }

    @Test
    void pauseResumeAndDrainGovernTheListener() throws Exception {
        run("pause");
        assertThat(tiproxy.proxy("State")).isEqualTo("PAUSED");
        run("resume");
        assertThat(tiproxy.proxy("State")).isEqualTo("RUNNING");
        assertThat(run("drain", "1")).contains("drained");
        assertThat(tiproxy.proxy("State")).isEqualTo("DRAINING");
        run("resume");
        assertThat(tiproxy.get("/after")).contains("path /after");
    }

    @Test
    void connectionsAndWatchShowWhatIsOpen() throws Exception {
        try (Socket client = new Socket("127.0.0.1", tiproxy.port)) {
            await().until(() -> tiproxy.proxy("ActiveConnections").equals("1"));
            assertThat(run("connections")).contains("127.0.0.1:" + client.getLocalPort());
            assertThat(run("watch", "1", "1")).contains("ActiveConnections", "WaitingConnections", "CommandsTotal");
            // This one runs with protocol tcp.
            assertThat(run("status")).contains("CommandsTotal = 0", "ErrorsBySource");
            assertThat(run(1, "kill-query", "1")).contains("killSession(1)");
            assertThat(run("kill-session", "99")).contains("false");
            assertThat(run("kill-session", "1")).contains("true");
            await().until(() -> tiproxy.proxy("ActiveConnections").equals("0"));
            assertThat(run(2, "kill-session", "one")).contains("not 'one'");
            assertThat(run(2, "kill-query")).contains("takes the id");
        }
    }

    @Test
    void thePoolsScriptsShowAndGovernSharedConnections() throws Exception {
        assertThat(run(1, "pool")).contains("tiproxy-jmx:");
        tiproxy.close();
        tiproxy = new TiProxyJar(folder.resolve("other-state"))
                .environment("TIPROXY_POOL_MODE", "session")
                .environment("TIPROXY_POOL_MAX_CONNECTIONS_PER_ADDRESS", "7");
        try (GreetingServer backend = new GreetingServer(tiproxy.backendPort)) {
            tiproxy.start("--protocol", "mysql");
            assertThat(run("pool")).contains("Mode = session", "MaxSize = 7", "Total = 0", "Suspended = false");
            assertThat(run("pool-suspend")).contains("suspended");
            assertThat(run("pool")).contains("Suspended = true");
            try (Socket client = new Socket("127.0.0.1", tiproxy.port)) {
                await().untilAsserted(() -> assertThat(tiproxy.pool("Pending")).isEqualTo("1"));
                assertThat(run("pool-resume")).contains("resumed");
                // The backend's greeting, in the proxy's words: length, sequence id, version 10.
                assertThat(client.getInputStream().readNBytes(5)[4]).isEqualTo((byte) 10);
                assertThat(backend.connections()).isEqualTo(1);
            }
            assertThat(run("pool")).contains("CreatedTotal = 1");
            run("pool-connections");
            assertThat(run("pool-evict-idle")).contains("0");
            assertThat(run("pool-soft-evict")).contains("0");
            assertThat(run("pool-evict-user", "some body's")).contains("0");
            assertThat(run(2, "pool-evict-user")).contains("takes the name");
        }
    }

    @Test
    void theSameBeansAnswerOverHttp() throws Exception {
        assertThat(tiproxy.jolokia("exec/tiproxy:type=Supervisor,name=default/hold/true"))
                .contains("\"status\":200");
        assertThat(tiproxy.supervisor("State")).isEqualTo("OPENED");
        assertThat(tiproxy.jolokia("write/tiproxy:type=Supervisor,name=default/IdleTimeoutMillis/-1"))
                .contains("\"status\":200");
        assertThat(tiproxy.supervisor("IdleTimeoutMillis")).isEqualTo("-1");
        assertThat(tiproxy.jolokia("write/tiproxy:type=Proxy,name=default/MaxConnections/7"))
                .contains("\"status\":200");
        assertThat(tiproxy.proxy("MaxConnections")).isEqualTo("7");
        assertThat(tiproxy.jolokia("write/tiproxy:type=Proxy,name=default/MaxConnections/-7"))
                .contains("max-connections -7 is negative");
        assertThat(tiproxy.jolokia("read/java.lang:type=Memory/HeapMemoryUsage"))
                .contains("\"used\"");
        assertThat(tiproxy.jolokia("read/com.sun.management:type=HotSpotDiagnostic"))
                .contains("\"status\":403");
        assertThat(tiproxy.jolokia("exec/tiproxy:type=Supervisor,name=default/kill"))
                .contains("\"status\":200");
    }
}

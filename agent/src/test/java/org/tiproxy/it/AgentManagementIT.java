package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.it.app.Jdbc;
import org.tiproxy.testing.MariaDbServer;

/** An application with a driver and the agent, in front of a real server, and the scripts against it. */
@Timeout(240)
class AgentManagementIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    static Path serverFolder;

    @TempDir
    Path folder;

    private static MariaDbServer server;

    private Process application;
    private BufferedReader out;

    @BeforeAll
    static void startServer() throws Exception {
        server = MariaDbServer.start(serverFolder);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @AfterEach
    void endApplication() {
        if (application != null) {
            application.destroy();
        }
    }

    private static String url(String host, int port) {
        return "jdbc:mariadb://" + host + ":" + port + "/demo?user=demo&password=demo";
    }

    private static AppJvm application() {
        return new AppJvm().with(org.mariadb.jdbc.Driver.class);
    }

    private void start(AppJvm jvm, String... arguments) throws IOException {
        application = jvm.start(Jdbc.class, arguments);
        out = new BufferedReader(new InputStreamReader(application.getInputStream(), StandardCharsets.UTF_8));
    }

    private void goOn() throws IOException {
        application.getOutputStream().write('\n');
        application.getOutputStream().flush();
    }

    private String script(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(ROOT.resolve("jmx-scripts/tiproxy-jmx").toString(), "--url", Long.toString(application.pid())));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .put(
                        "JMXTERM_JAR",
                        Path.of("target", "jmxterm.jar").toAbsolutePath().toString());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said;
    }

    @Test
    void theBeansAreThereFromTheFirstRedirectedConnectionOnAndTheScriptsWork() throws Exception {
        String url = url("127.0.0.1", server.port());
        start(
                application().agent("log.log-file.filename=" + folder.resolve("agent.log")),
                "beans=before",
                "connect=" + url,
                "query=SELECT 40 + 2",
                "wait=ready",
                "connect=" + url,
                "query=SELECT 43",
                "wait=direct",
                "close=",
                "close=");
        assertThat(out.readLine()).isEqualTo("before []");
        assertThat(out.readLine()).isEqualTo("connected");
        assertThat(out.readLine()).isEqualTo("42");
        assertThat(out.readLine()).isEqualTo("ready");

        String pool = "127.0.0.1:" + server.port() + "/demo";
        assertThat(script("agent"))
                .contains(
                        "Enabled = true",
                        "RedirectedTotal = 1",
                        "BypassedTotal = 0",
                        "FailOpenTotal = 0",
                        "mariadb-java-client-3.");
        assertThat(script("--pool", pool, "pool")).contains("Mode = session", "Active = 1", "MaxSize = 1000000");
        assertThat(script("--pool", pool, "pool-connections")).contains("user = demo");
        assertThat(script("--pool", pool, "pool-evict-user", "nobody")).contains("0");
        assertThat(script("connections")).contains("user = demo", "schema = demo", "transaction = NONE");
        assertThat(script("agent-disable")).contains("Enabled = false");
        goOn();
        assertThat(out.readLine()).isEqualTo("connected");
        assertThat(out.readLine()).isEqualTo("43");
        assertThat(out.readLine()).isEqualTo("direct");
        assertThat(script("agent")).contains("RedirectedTotal = 1", "BypassedTotal = 1", "disabled");
        assertThat(script("agent-enable")).contains("Enabled = true");
        goOn();

        assertThat(out.readLine()).isEqualTo("done");
        assertThat(AppJvm.finish(application).err()).isEmpty();
        assertThat(Files.readString(folder.resolve("agent.log"))).contains("mariadb-java-client-3.");
    }

    @Test
    void jolokiaAnswersInTheApplicationWhenItIsAskedFor() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        String url = url("127.0.0.1", server.port());
        start(
                application()
                        .agent("jolokia.addr=127.0.0.1:" + port + ",log.log-file.filename="
                                + folder.resolve("agent.log")),
                "connect=" + url,
                "query=SELECT 40 + 2",
                "wait=ready",
                "close=");
        assertThat(out.readLine()).isEqualTo("connected");
        assertThat(out.readLine()).isEqualTo("42");
        assertThat(out.readLine()).isEqualTo("ready");

        assertThat(jolokia(port, "read/tiproxy:type=Agent/RedirectedTotal")).contains("\"value\":1", "\"status\":200");
        assertThat(jolokia(port, "search/tiproxy:type=Pool,*"))
                .contains("127.0.0.1:" + server.port() + "/demo", "\"status\":200");
        assertThat(jolokia(port, "write/tiproxy:type=Agent/Enabled/false")).contains("\"status\":200");
        assertThat(jolokia(port, "read/tiproxy:type=Agent/Enabled")).contains("\"value\":false");
        assertThat(jolokia(port, "read/com.sun.management:type=HotSpotDiagnostic"))
                .as("only our beans and the JVM's own")
                .contains("\"status\":403");
        goOn();
        assertThat(out.readLine()).isEqualTo("done");
        assertThat(AppJvm.finish(application).err()).isEmpty();
    }

    private static String jolokia(int port, String request) throws Exception {
        HttpRequest get = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/jolokia/" + request))
                .timeout(Duration.ofSeconds(20))
                .build();
        return HttpClient.newHttpClient()
                .send(get, HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void aRedirectedConnectionNeedsNoNettyAndNoThreadButTheHousekeeping() throws Exception {
        String url = url("127.0.0.1", server.port());
        Path classes = folder.resolve("classes");

        AppJvm.Result result = application()
                .agent("log.log-file.filename=" + folder.resolve("quiet.log"))
                .option("-Xlog:class+load=info:file=" + classes + "::filecount=0")
                .run(
                        Jdbc.class,
                        "connect=" + url,
                        "query=SELECT 42",
                        "close=",
                        "connect=" + url,
                        "query=SELECT 43",
                        "threads=",
                        "close=");

        assertThat(result.lines()).containsExactly("connected", "42", "connected", "43", "[tiproxy-timer]", "done");
        List<String> loaded = Files.readAllLines(classes);
        assertThat(loaded).anyMatch(line -> line.contains(" org.tiproxy.inprocess.InProcessSession "));
        assertThat(loaded)
                .filteredOn(line ->
                        line.matches(".* (org\\.tiproxy\\.shaded\\.io\\.netty|org\\.tiproxy\\.(net|app|cli))\\..*"))
                .isEmpty();
    }

    @Test
    void aRuleLeadsAConnectionToAnotherBackendAndAnExclusionLeavesItAlone() throws Exception {
        Path config = Files.write(
                folder.resolve("agent.toml"),
                List.of(
                        "[agent]",
                        "exclude-users = [\"admin*\"]",
                        "[[agent.redirect]]",
                        "from = \"127.0.0.1:1\"",
                        "to = [\"127.0.0.1:" + server.port() + "\"]"));
        start(
                application().agent(config.toString()),
                "connect=" + url("127.0.0.1", 1).replace("user=demo", "user=administrator"),
                "connect=" + url("127.0.0.1", 1),
                "query=SELECT CURRENT_USER()",
                "beans=after",
                "wait=ready");

        assertThat(out.readLine()).startsWith("not connected: ");
        assertThat(out.readLine()).isEqualTo("connected");
        assertThat(out.readLine()).isEqualTo("demo@127.0.0.1");
        assertThat(out.readLine()).contains("type=Agent", "type=Pool,name=\"127.0.0.1:1/demo\"");
        assertThat(out.readLine()).isEqualTo("ready");
        assertThat(script("agent"))
                .contains("127.0.0.1:1 -> 127.0.0.1:" + server.port(), "user excluded", "agent.toml");
        goOn();
    }

    @Test
    void theFirstConnectionStartsAnOnDemandBackendWhichEndsWithTheJvm() throws Exception {
        int port = TiProxyJar.freePort();
        AppJvm jvm = application()
                .agent()
                .option("-Dtiproxy.agent.child-address=127.0.0.1:" + port)
                .option("-Dtiproxy.supervisor.exec="
                        + ROOT.resolve("examples/quickstart/mariadb.sh").toString())
                .option("-Dtiproxy.supervisor.args=--port=" + port + ",--datadir=" + folder.resolve("data"))
                .option("-Dtiproxy.supervisor.start=120s")
                .option("-Dtiproxy.supervisor.state-dir=" + folder.resolve("state"))
                .environment("MARIADB_DATA", folder.resolve("data").toString())
                .environment("MARIADB_PORT", Integer.toString(port));
        start(jvm, "connect=" + url("127.0.0.1", port), "query=SELECT 7", "wait=ready");

        assertThat(out.readLine()).isEqualTo("connected");
        assertThat(out.readLine()).isEqualTo("7");
        assertThat(out.readLine()).isEqualTo("ready");
        ProcessHandle child = ProcessHandle.of(application.pid())
                .orElseThrow()
                .descendants()
                .filter(process -> process.info().command().orElse("").contains("mariadbd"))
                .findFirst()
                .orElseThrow();
        goOn();
        assertThat(out.readLine()).isEqualTo("done");
        assertThat(application.waitFor()).isZero();
        await().atMost(TiProxyJar.PATIENCE).until(() -> !child.isAlive());
    }
}

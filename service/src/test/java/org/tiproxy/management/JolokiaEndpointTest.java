package org.tiproxy.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.jolokia.json.JSONArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

class JolokiaEndpointTest {
    private static final HostPort FREE_PORT = new HostPort("127.0.0.1", 0);
    private static final String BEAN = "tiproxy:type=Test";

    private Sample sample;
    private JolokiaEndpoint endpoint;
    private RawHttp http;

    @BeforeEach
    void open() throws Exception {
        sample = Sample.register();
        endpoint = JolokiaEndpoint.start(new JolokiaConfig(FREE_PORT, null, null, List.of("ops.example.com")));
        http = new RawHttp(endpoint.address());
    }

    @AfterEach
    void close() throws Exception {
        endpoint.close();
        sample.close();
    }

    @Test
    void attributesAreReadAndWritten() throws Exception {
        assertThat(http.get("/jolokia/write/" + BEAN + "/Limit/11").jolokiaStatus())
                .isEqualTo(200);
        assertThat(http.get("/jolokia/read/" + BEAN + "/Limit").value()).isEqualTo(11L);
    }

    @Test
    void operationsAreInvokedWithArguments() throws Exception {
        assertThat(http.get("/jolokia/exec/" + BEAN + "/drain/5").value()).isEqualTo("drained in 5 s");
        assertThat(http.post("{\"type\":\"exec\",\"mbean\":\"" + BEAN + "\",\"operation\":\"pause\"}")
                        .value())
                .isEqualTo("paused");
    }

    @Test
    void recordsComeOutAsObjectsWithTheirComponents() throws Exception {
        JSONArray rows = (JSONArray) http.get("/jolokia/read/" + BEAN + "/Rows").value();

        assertThat(rows)
                .containsExactly(
                        Map.of("id", 1L, "client", "127.0.0.1:5000", "open", true),
                        Map.of("id", 2L, "client", "127.0.0.1:5001", "open", false));
    }

    @Test
    void listAndSearchShowWhatIsServedAndNothingElse() throws Exception {
        Map<?, ?> domains = (Map<?, ?>) http.get("/jolokia/list").value();
        JSONArray names = (JSONArray) http.get("/jolokia/search/*:*").value();

        assertThat(domains.containsKey("tiproxy")).isTrue();
        assertThat(domains.keySet().stream().map(String::valueOf))
                .isSubsetOf("tiproxy", "java.lang", "java.nio", "java.util.logging", "JMImplementation");
        assertThat(names)
                .contains(BEAN)
                .noneMatch(name ->
                        name.toString().startsWith("com.sun") || name.toString().startsWith("jolokia"));
    }

    @Test
    void bulkRequestsAreAnsweredOneByOne() throws Exception {
        JSONArray answers = http.post("[{\"type\":\"read\",\"mbean\":\"" + BEAN + "\",\"attribute\":\"Limit\"},"
                        + "{\"type\":\"exec\",\"mbean\":\"com.sun.management:type=DiagnosticCommand\","
                        + "\"operation\":\"vmVersion\"},{\"type\":\"version\"}]")
                .jsonArray();

        assertThat(answers).map(answer -> ((Map<?, ?>) answer).get("status")).isEqualTo(List.of(200L, 403L, 200L));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "java.lang:type=Memory/HeapMemoryUsage",
                "java.nio:type=BufferPool,name=direct/Count",
                "java.util.logging:type=Logging/LoggerNames",
                "JMImplementation:type=MBeanServerDelegate/MBeanServerId"
            })
    void standardBeansOfTheJvmAreRead(String bean) throws Exception {
        assertThat(http.get("/jolokia/read/" + bean).jolokiaStatus()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "read/com.sun.management:type=HotSpotDiagnostic/DiagnosticOptions",
                "exec/com.sun.management:type=HotSpotDiagnostic/dumpHeap/heap.hprof/true",
                "exec/com.sun.management:type=DiagnosticCommand/vmVersion",
                "exec/*:type=DiagnosticCommand/vmVersion",
                "exec/com.sun.*:type=DiagnosticCommand/vmVersion",
                "read/com.sun.management:*/DiagnosticOptions",
                "exec/JMImplementation:type=MBeanServerDelegate/anything",
                "exec/jolokia:*/resetDebugInfo",
                "notification/add/client/pull/com.sun.management:type=GarbageCollectorAggregator"
            })
    void everythingElseIsDenied(String request) throws Exception {
        RawHttp.Answer answer = http.get("/jolokia/" + request);

        assertThat(answer.jolokiaStatus()).as(answer.body()).isEqualTo(403);
        assertThat(answer.json()).doesNotContainKey("value");
    }

    @Test
    void proxyModeToOtherMachinesDoesNotExist() throws Exception {
        RawHttp.Answer answer = http.post("{\"type\":\"read\",\"mbean\":\"java.lang:type=Runtime\",\"attribute\":"
                + "\"Pid\",\"target\":{\"url\":\"service:jmx:rmi:///jndi/rmi://127.0.0.1:1/jmxrmi\"}}");

        // The target is ignored: the answer is our own.
        assertThat(answer.value()).isEqualTo(ProcessHandle.current().pid());
    }

    @Test
    void notificationsOfOurBeansAreDelivered() throws Exception {
        RawHttp.Answer client = http.get("/jolokia/notification/register");
        String id = client.at("value", "id").toString();
        String store = client.at("value", "backend", "pull", "store").toString();
        String handle = http.get("/jolokia/notification/add/" + id + "/pull/" + BEAN)
                .value()
                .toString();

        sample.pause();

        RawHttp.Answer pulled = http.get("/jolokia/exec/" + store + "/pull/" + id + "/" + handle);
        assertThat(pulled.body()).contains("sample.paused");
        assertThat(http.get("/jolokia/exec/" + store + "/notAnOperation").jolokiaStatus())
                .isEqualTo(403);
    }

    @Test
    void unknownBeanIsAJsonErrorWithoutAStackTrace() throws Exception {
        RawHttp.Answer answer = http.get("/jolokia/read/tiproxy:type=Nothing?includeStackTrace=true");

        assertThat(answer.jolokiaStatus()).isEqualTo(404);
        assertThat(answer.body()).contains("tiproxy:type=Nothing").doesNotContain("stacktrace", "\\tat ");
    }

    @Test
    void failingOperationIsAJsonErrorWithoutAStackTrace() throws Exception {
        RawHttp.Answer answer = http.post("{\"type\":\"exec\",\"mbean\":\"" + BEAN + "\",\"operation\":\"fail\","
                + "\"config\":{\"includeStackTrace\":\"true\",\"serializeException\":\"true\"}}");

        assertThat(answer.jolokiaStatus()).isEqualTo(500);
        assertThat(answer.body()).contains("it broke").doesNotContain("stacktrace", "stackTrace\":[", "\\tat ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "", "\"text\"", "{}", "{\"type\":\"dance\"}"})
    void malformedRequestIsAJsonError(String body) throws Exception {
        RawHttp.Answer answer = http.post(body);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.jolokiaStatus()).isEqualTo(400);
        assertThat(answer.body()).doesNotContain("\\tat ");
    }

    @Test
    void foreignHostIsRefused() throws Exception {
        RawHttp.Answer answer = http.send("GET", "/jolokia/version", "evil.example:8778", "");

        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.at("error").toString()).contains("evil.example", "jolokia.allowed-hosts");
        assertThat(http.send("GET", "/jolokia/version", "ops.example.com", "").status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Origin: http://evil.example", "Referer: http://evil.example/", "Sec-Fetch-Site: cross-site"})
    void pagesOfOtherSitesAreRefusedAndGetNoCorsHeaders(String header) throws Exception {
        RawHttp.Answer image = http.get("/jolokia/exec/" + BEAN + "/pause", header);
        RawHttp.Answer form = http.post(
                "{\"type\":\"write\",\"mbean\":\"" + BEAN + "\",\"attribute\":\"Limit\",\"value\":99}",
                header,
                "Content-Type: text/plain");
        RawHttp.Answer preflight =
                http.send("OPTIONS", "/jolokia", endpoint.address().toString(), "", header);

        assertThat(List.of(image.status(), form.status(), preflight.status())).containsOnly(403);
        assertThat(image.head() + form.head() + preflight.head()).doesNotContainIgnoringCase("Access-Control");
        assertThat(sample.getLimit()).isEqualTo(7);
    }

    @Test
    void browserThatDoesNotSayWhichPageAsksMayReadButNotOperate() throws Exception {
        String browser = "User-Agent: Mozilla/5.0 (old)";

        assertThat(http.get("/jolokia/read/" + BEAN + "/Limit", browser).jolokiaStatus())
                .isEqualTo(200);
        assertThat(http.get("/jolokia/exec/" + BEAN + "/pause", browser).jolokiaStatus())
                .isEqualTo(403);
        assertThat(http.get("/jolokia?p=write/" + BEAN + "/Limit/1", browser).jolokiaStatus())
                .isEqualTo(403);
        assertThat(sample.getLimit()).isEqualTo(7);
    }

    @Test
    void callbackDoesNotTurnAnAnswerIntoAScript() throws Exception {
        RawHttp.Answer answer = http.get("/jolokia/version?callback=steal&mimeType=text/plain");

        assertThat(answer.body()).startsWith("{");
        assertThat(answer.head())
                .containsIgnoringCase("Content-Type: application/json")
                .containsIgnoringCase("X-Content-Type-Options: nosniff");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jolokia/version", "/jolokia/config", "/jolokia"})
    void loginIsAskedForOnEveryPath(String path) throws Exception {
        JolokiaConfig config = new JolokiaConfig(FREE_PORT, "operator", new Secret("s3crét"), List.of());
        try (JolokiaEndpoint secured = JolokiaEndpoint.start(config)) {
            RawHttp client = new RawHttp(secured.address());

            assertThat(client.get(path).status()).isEqualTo(401);
            assertThat(client.get(path, basic("operator", "guess")).status()).isEqualTo(401);
            assertThat(client.get(path, basic("somebody", "s3crét")).status()).isEqualTo(401);
            assertThat(client.get(path, basic("operator", "s3crét")).status()).isEqualTo(200);
            assertThat(client.get("/jolokia/version", basic("operator", "s3crét"))
                            .body())
                    .doesNotContain("s3cr");
        }
    }

    @Test
    void otherMachinesAreNotServedWithoutALogin() {
        assertThatThrownBy(() -> JolokiaEndpoint.start(new JolokiaConfig(new HostPort("", 0), null, null, List.of())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("without authentication");
    }

    @Test
    void listensOnTheGivenAddressOnly() {
        assertThatThrownBy(() -> new Socket("127.0.0.2", endpoint.address().port()).close())
                .isInstanceOf(ConnectException.class);
    }

    @Test
    void takenPortIsReportedInASentence() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            HostPort address = new HostPort("127.0.0.1", taken.getLocalPort());

            assertThatThrownBy(() -> JolokiaEndpoint.start(new JolokiaConfig(address, null, null, List.of())))
                    .isInstanceOf(IOException.class)
                    .hasMessage("Jolokia cannot listen on " + address
                            + ": Address already in use. Set jolokia.addr to another address, or to \"off\".");
        }
    }

    @Test
    void otherPathsAndMethodsAndLongBodiesAreRefused() throws Exception {
        String host = endpoint.address().toString();

        assertThat(http.get("/jolokia2/version").status()).isEqualTo(404);
        assertThat(http.send("DELETE", "/jolokia", host, "").status()).isEqualTo(405);
        assertThat(http.post(" ".repeat(1024 * 1024 + 1)).status()).isEqualTo(413);
    }

    @Test
    void nothingIsWrittenToStandardOutput() throws Exception {
        PrintStream original = System.out;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        System.setOut(new PrintStream(written, true, StandardCharsets.UTF_8));
        try (JolokiaEndpoint second = JolokiaEndpoint.start(new JolokiaConfig(FREE_PORT, null, null, List.of()))) {
            assertThat(new RawHttp(second.address()).get("/jolokia/version").status())
                    .isEqualTo(200);
        } finally {
            System.setOut(original);
        }
        assertThat(written.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void allThreadsAreDaemons() throws Exception {
        http.get("/jolokia/version");

        assertThat(Thread.getAllStackTraces().keySet())
                .filteredOn(thread -> thread.getName().startsWith("tiproxy-jolokia")
                        || thread.getName().startsWith("HTTP-Dispatcher"))
                .isNotEmpty()
                .allMatch(Thread::isDaemon);
    }

    @Test
    void closedEndpointFreesThePortItsThreadsAndItsBeans() throws Exception {
        http.get("/jolokia/version");
        endpoint.close();

        assertThatCode(endpoint::close).doesNotThrowAnyException();
        assertThatThrownBy(() -> http.get("/jolokia/version")).isInstanceOf(IOException.class);
        assertThat(ManagementFactory.getPlatformMBeanServer().queryNames(Sample.name("jolokia:*"), null))
                .isEmpty();
        JolokiaConfig samePort = new JolokiaConfig(endpoint.address(), null, null, List.of());
        assertThatCode(() -> JolokiaEndpoint.start(samePort).close()).doesNotThrowAnyException();
        Awaitility.await()
                .untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                        .noneMatch(thread -> thread.getName().startsWith("tiproxy-jolokia")));
    }

    @Test
    void endpointMayBeClosedWhileItStarts() throws Exception {
        JolokiaEndpoint.start(new JolokiaConfig(FREE_PORT, null, null, List.of()))
                .close();
        endpoint.close();

        Awaitility.await()
                .untilAsserted(() -> assertThat(
                                ManagementFactory.getPlatformMBeanServer().queryNames(Sample.name("jolokia:*"), null))
                        .isEmpty());
    }

    private static String basic(String user, String password) {
        return "Authorization: Basic "
                + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }
}

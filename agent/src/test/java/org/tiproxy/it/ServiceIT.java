package org.tiproxy.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jar as a user runs it: on demand in front of real children, through signals and crashes. */
@Timeout(180)
class ServiceIT {
    private static final int SIGINT = 2;

    @TempDir
    Path folder;

    @BeforeAll
    static void bePatient() {
        Awaitility.setDefaultTimeout(TiProxyJar.PATIENCE);
    }

    private TiProxyJar tiproxy() throws IOException {
        return new TiProxyJar(folder.resolve("state"));
    }

    private static String[] with(List<String> child, String... flags) {
        return Stream.concat(Stream.of(flags), child.stream()).toArray(String[]::new);
    }

    /** A process that has ended but that nobody has asked about yet (a zombie) is not alive. */
    private static Optional<ProcessHandle> alive(long pid) {
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).filter(process -> {
            try {
                return !Files.readString(Path.of("/proc", Long.toString(pid), "stat"))
                        .replaceFirst("^.*\\) ", "")
                        .startsWith("Z");
            } catch (IOException e) {
                return Files.isDirectory(Path.of("/proc/self")) ? false : process.isAlive();
            }
        });
    }

    /** Connects once, which Java's HTTP client does not promise, and waits for the end. */
    private static void connectAndSeeItClosed(TiProxyJar tiproxy) throws IOException {
        try (Socket client = new Socket("127.0.0.1", tiproxy.port)) {
            assertThat(ended(client)).isTrue();
        }
    }

    @Test
    void aPlainProxyRelaysToTheDestinationAndUsesEpollFromTheRelocatedJar() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 10);
        server.createContext("/", exchange -> {
            byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start("-dest=127.0.0.1:" + server.getAddress().getPort());

            assertThat(tiproxy.get("/")).isEqualTo("hello");
            assertThat(tiproxy.proxy("State")).isEqualTo("RUNNING");
            String os = System.getProperty("os.name") + " " + System.getProperty("os.arch");
            if (os.equals("Linux amd64") || os.equals("Linux aarch64")) {
                assertThat(tiproxy.proxy("Transport")).isEqualTo("EPOLL");
            }
            assertThat(tiproxy.jolokia("search/tiproxy:*"))
                    .contains("type=Proxy", "type=Service")
                    .doesNotContain("type=Supervisor");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void theFirstConnectionStartsTheChildAndIdleStopsIt() throws Exception {
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start(with(tiproxy.httpChild(), "--idle", "300ms"));
            assertThat(tiproxy.supervisor("State")).isEqualTo("CLOSED");
            assertThat(tiproxy.supervisor("Pid")).isEqualTo("0");

            String answer = tiproxy.get("/first");
            long pid = Long.parseLong(answer.replaceFirst("pid (\\d+) .*", "$1"));
            assertThat(answer).endsWith("path /first");
            assertThat(tiproxy.supervisor("OutputTail")).isNotNull();

            // The client keeps its connection alive: the child must stay until that is closed.
            assertThat(tiproxy.supervisor("Pid")).isEqualTo(Long.toString(pid));
            assertThat(tiproxy.supervisor("ActiveConnections")).isEqualTo("1");
            tiproxy.jolokia("exec/tiproxy:type=Proxy,name=default/closeConnection/1");
            await().until(() -> tiproxy.supervisor("State").equals("CLOSED"));
            assertThat(alive(pid)).isEmpty();
            assertThat(tiproxy.supervisor("LastExitStatus")).contains("143");

            assertThat(tiproxy.get("/second")).contains("path /second").doesNotContain("pid " + pid + " ");
            assertThat(tiproxy.supervisor("StartsTotal")).isEqualTo("2");
        }
    }

    @Test
    void aChildThatExitsAtOnceRefusesTheClientWithItsStatusInTheLog() throws Exception {
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start("--exec", "/bin/sh", "--", "-c", "echo out of cheese; exit 3");
            var failure = tiproxy.line(text -> text.contains("status 3"));

            connectAndSeeItClosed(tiproxy);

            assertThat(failure.get(30, TimeUnit.SECONDS)).contains("out of cheese");
            assertThat(tiproxy.supervisor("LastError")).contains("status 3").contains("out of cheese");
            assertThat(tiproxy.supervisor("StartFailuresTotal")).isEqualTo("1");
            assertThat(tiproxy.proxy("FailedTotal")).isEqualTo("1");
        }
    }

    @Test
    void somethingElseAtTheDestinationIsNotMistakenForTheChild() throws Exception {
        try (TiProxyJar tiproxy = tiproxy();
                ServerSocket squatter = new ServerSocket(tiproxy.backendPort, 50, InetAddress.getLoopbackAddress())) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));

            connectAndSeeItClosed(tiproxy);

            assertThat(tiproxy.supervisor("LastError"))
                    .contains("127.0.0.1:" + squatter.getLocalPort())
                    .contains("already");
            assertThat(tiproxy.supervisor("StartFailuresTotal")).isEqualTo("1");
            assertThat(tiproxy.supervisor("Pid")).isEqualTo("0");
            assertThat(tiproxy.supervisor("LastExitStatus"))
                    .as("nothing was run")
                    .isEmpty();
        }
    }

    @Test
    void aSignalLetsConnectionsFinishStopsTheChildAndEndsWithZero() throws Exception {
        try (TiProxyJar tiproxy = tiproxy().gracefulClose("60s")) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
            try (Socket client = new Socket("127.0.0.1", tiproxy.port)) {
                client.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: x\r\n".getBytes(StandardCharsets.US_ASCII));
                await().until(() -> !tiproxy.supervisor("Pid").equals("0"));
                long pid = Long.parseLong(tiproxy.supervisor("Pid"));
                await().until(() -> tiproxy.supervisor("State").equals("OPENED"));
                var stopping = tiproxy.line(text -> text.contains("RUNNING -> DRAINING"));

                tiproxy.signal("TERM");
                stopping.get(30, TimeUnit.SECONDS);
                assertThatThrownBy(() -> new Socket("127.0.0.1", tiproxy.port).close())
                        .isInstanceOf(ConnectException.class);
                // The request that was begun before is answered.
                client.getOutputStream().write("Connection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .contains("path /slow");
                client.shutdownOutput();

                assertThat(tiproxy.awaitExit()).isZero();
                assertThat(alive(pid)).isEmpty();
            }
        }
    }

    @Test
    void aGracefulWaitServesNewClientsAfterTheSignal() throws Exception {
        try (TiProxyJar tiproxy = tiproxy().environment("TIPROXY_PROXY_GRACEFUL_WAIT_BEFORE_SHUTDOWN", "3s")) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
            tiproxy.get("/before");
            var stopping = tiproxy.line(text -> text.contains("accepting for 3000 ms more"));
            tiproxy.signal("TERM");
            stopping.get(30, TimeUnit.SECONDS);
            assertThat(tiproxy.get("/after")).contains("path /after");
            assertThat(tiproxy.awaitExit()).isZero();
        }
    }

    @Test
    void aSecondSignalEndsAtOnceAndLeavesNoChild() throws Exception {
        assumeThat(ignoresInterrupts())
                .as("a shell has started the tests in the background, and SIGINT is ignored by their children too")
                .isFalse();
        try (TiProxyJar tiproxy = tiproxy().gracefulClose("60s")) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
            try (Socket client = new Socket("127.0.0.1", tiproxy.port)) {
                await().until(() -> tiproxy.supervisor("State").equals("OPENED"));
                long pid = Long.parseLong(tiproxy.supervisor("Pid"));
                var stopping = tiproxy.line(text -> text.contains("RUNNING -> DRAINING"));
                tiproxy.signal("INT");
                stopping.get(30, TimeUnit.SECONDS);
                assertThat(client.isConnected()).isTrue();
                assertThat(tiproxy.process().isAlive()).isTrue();

                tiproxy.signal("INT");

                assertThat(tiproxy.awaitExit()).isEqualTo(130);
                await().until(() -> alive(pid).isEmpty());
            }
        }
    }

    /** What a process ignores from its start is ignored by its children. */
    private static boolean ignoresInterrupts() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return false;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .map(line -> Long.parseUnsignedLong(
                        line.substring("SigIgn:".length()).strip(), 16))
                .anyMatch(mask -> (mask & 1L << (SIGINT - 1)) != 0);
    }

    @Test
    void aProxyThatWasKilledTakesItsFormerChildOverWhenItComesBack() throws Exception {
        long pid;
        try (TiProxyJar first = tiproxy()) {
            String[] flags = with(first.httpChild(), "--idle", "never");
            first.start(flags);
            pid = Long.parseLong(first.get("/a").replaceFirst("pid (\\d+) .*", "$1"));
            first.process().destroyForcibly();
            first.awaitExit();
            assertThat(alive(pid)).isPresent();

            first.start(flags);
            assertThat(first.get("/b")).isEqualTo("pid " + pid + " path /b");
            assertThat(first.supervisor("StartsTotal")).isEqualTo("0");
            // What it writes is still heard.
            await().until(() -> first.jolokia("read/tiproxy:type=Supervisor,name=default/OutputTail")
                    .contains("answering"));
        }
        assertThat(alive(pid)).isEmpty();
    }

    @Test
    void aChildKilledUnderLoadClosesItsConnectionsAndTheNextClientStartsAnother() throws Exception {
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
            tiproxy.get("/");
            long pid = Long.parseLong(tiproxy.supervisor("Pid"));
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                clients.add(new Socket("127.0.0.1", tiproxy.port));
            }
            await().until(() -> Integer.parseInt(tiproxy.supervisor("ActiveConnections")) >= 50);

            TiProxyJar.signal(pid, "KILL");

            for (Socket client : clients) {
                try (client) {
                    assertThat(ended(client)).isTrue();
                }
            }
            await().until(() -> tiproxy.supervisor("State").equals("CLOSED"));
            assertThat(tiproxy.supervisor("UnexpectedExitsTotal")).isEqualTo("1");
            assertThat(tiproxy.supervisor("LastExitStatus")).contains("137");
            assertThat(tiproxy.get("/again")).contains("path /again").doesNotContain("pid " + pid + " ");
        }
    }

    private static boolean ended(Socket socket) {
        try {
            socket.setSoTimeout(60_000);
            return socket.getInputStream().read() < 0;
        } catch (IOException e) {
            // A reset is an end, too; a time-out is not.
            return !(e instanceof java.net.SocketTimeoutException);
        }
    }

    @Test
    void runningOutOfFileDescriptorsPausesAcceptingAndItRecovers() throws Exception {
        try (TiProxyJar tiproxy = tiproxy()) {
            HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 500);
            server.createContext("/", exchange -> {
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            });
            server.start();
            tiproxy.start("--dest", "127.0.0.1:" + server.getAddress().getPort());
            assertThat(tiproxy.get("/")).isEmpty();
            limitFileDescriptors(tiproxy.process().pid(), 20);
            var paused = tiproxy.line(text -> text.contains("accepting on") && text.contains("failed"));
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                clients.add(new Socket("127.0.0.1", tiproxy.port));
            }
            assertThat(paused.get(30, TimeUnit.SECONDS)).contains("ulimit -n");

            for (Socket client : clients) {
                client.close();
            }
            limitFileDescriptors(tiproxy.process().pid(), 4096);
            assertThat(tiproxy.get("/")).isEmpty();
            server.stop(0);
        }
    }

    /** Leaves room for {@code more} descriptors beyond those that are open now. */
    private static void limitFileDescriptors(long pid, int more) throws Exception {
        assumeThat(Files.isExecutable(Path.of("/usr/bin/prlimit")))
                .as("prlimit is installed")
                .isTrue();
        long open;
        try (Stream<Path> descriptors = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            open = descriptors.count();
        }
        int status = new ProcessBuilder(
                        "/usr/bin/prlimit", "--pid", Long.toString(pid), "--nofile=" + (open + more) + ":")
                .inheritIO()
                .start()
                .waitFor();
        assertThat(status).isZero();
    }

    @Test
    void twoClientsTalkThroughTheBrokerThatTheFirstOneStarted() throws Exception {
        assumeThat(Files.isExecutable(Path.of("/usr/bin/ncat")))
                .as("ncat is installed")
                .isTrue();
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start(
                    "--exec",
                    "ncat",
                    "--workdir",
                    "/usr/bin",
                    "--idle",
                    "0",
                    "--",
                    "-l",
                    "-k",
                    "-p",
                    Integer.toString(tiproxy.backendPort),
                    "-4",
                    "-v",
                    "--broker");
            try (Socket listener = new Socket("127.0.0.1", tiproxy.port);
                    Socket speaker = new Socket("127.0.0.1", tiproxy.port)) {
                // The broker repeats to those who are connected when it hears: wait for both.
                await().until(() -> tiproxy.supervisor("ActiveConnections").equals("2"));
                await().until(() -> tiproxy.jolokia("read/tiproxy:type=Supervisor,name=default/OutputTail")
                                .split("Connection from", -1)
                                .length
                        > 2);
                speaker.getOutputStream().write("HELLO\n".getBytes(StandardCharsets.US_ASCII));
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(listener.getInputStream(), StandardCharsets.US_ASCII));
                assertThat(lines.readLine()).isEqualTo("HELLO");
            }
            await().until(() -> tiproxy.supervisor("State").equals("CLOSED"));
        }
    }

    @Test
    void curlGetsAnAnswerFromAChildThatItsRequestStarted() throws Exception {
        assumeThat(Files.isExecutable(Path.of("/usr/bin/curl")))
                .as("curl is installed")
                .isTrue();
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start(tiproxy.httpChild().toArray(String[]::new));
            Process curl = new ProcessBuilder(
                            "/usr/bin/curl", "-sS", "--max-time", "60", "http://127.0.0.1:" + tiproxy.port + "/api")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(curl.waitFor()).as(said).isZero();
            assertThat(said).contains("path /api");
        }
    }

    @Test
    void aTakenPortIsOneLineAndStatusOne() throws Exception {
        try (TiProxyJar tiproxy = tiproxy();
                ServerSocket taken = new ServerSocket(tiproxy.port, 50, InetAddress.getLoopbackAddress())) {
            tiproxy.launch();
            assertThat(tiproxy.awaitExit()).isEqualTo(1);
            await().untilAsserted(() -> assertThat(tiproxy.output())
                    .anyMatch(line -> line.contains("cannot listen on 127.0.0.1:" + taken.getLocalPort())));
            assertThat(tiproxy.output()).noneMatch(line -> line.startsWith("\tat "));
        }
    }

    @Test
    void theServiceBeanStopsTheService() throws Exception {
        try (TiProxyJar tiproxy = tiproxy()) {
            tiproxy.start();
            assertThat(tiproxy.jolokia("exec/tiproxy:type=Service/shutdown")).contains("shutting down");
            assertThat(tiproxy.awaitExit()).isZero();
        }
    }
}

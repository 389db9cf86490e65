package org.tiproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.testing.MariaDbServer;
import org.tiproxy.testing.RawClient;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.OkPacket;

/**
 * Streams larger than the memory of the proxy, which runs as a process of its own with 64 MB; far larger ones with
 * {@code -Dtiproxy.streams=large}.
 */
@Timeout(300)
class LargeStreamsIT {
    private static final long MIB = 1 << 20;
    private static final boolean LARGE = "large".equals(System.getProperty("tiproxy.streams"));
    private static final long RESULT_LENGTH = LARGE ? 2048 * MIB : 256 * MIB;
    private static final int FILE_PACKETS = LARGE ? 1024 : 128;
    private static final long ROW_OVERHEAD = 4;
    /** From 16 MiB on a length has 8 bytes. */
    private static final long LARGE_ROW_OVERHEAD = 9;

    /** Heap, direct memory, and what every JVM needs for itself. */
    private static final long MAX_RESIDENT = 300 * MIB;

    private static MariaDbServer server;
    private static Process proxy;
    private static int port;
    private static int jolokiaPort;

    @TempDir
    static Path folder;

    @BeforeAll
    static void start() throws Exception {
        server = MariaDbServer.start(folder);
        server.administer("SET GLOBAL max_allowed_packet = 64 << 20");
        port = freePort();
        jolokiaPort = freePort();
        // What runs in Surefire's own jar names the class path there.
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:MaxDirectMemorySize=64m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        classPath,
                        "org.tiproxy.cli.Main",
                        "--bind=127.0.0.1:" + port,
                        "--dest=127.0.0.1:" + server.port(),
                        "--protocol=mysql")
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("proxy.log").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("TIPROXY_"));
        builder.environment().put("TIPROXY_JMX_ADDR", "127.0.0.1:" + freePort());
        builder.environment().put("TIPROXY_JOLOKIA_ADDR", "127.0.0.1:" + jolokiaPort);
        proxy = builder.start();
        await().atMost(Duration.ofMinutes(1)).ignoreExceptions().until(() -> {
            assertThat(proxy.isAlive()).as(proxyLog()).isTrue();
            new Socket("127.0.0.1", port).close();
            return true;
        });
    }

    @AfterAll
    static void stop() throws Exception {
        proxy.destroy();
        if (!proxy.waitFor(30, TimeUnit.SECONDS)) {
            proxy.destroyForcibly();
        }
        server.close();
    }

    @AfterEach
    void theProxyHasStayedSmall() throws IOException {
        assertThat(proxy.isAlive()).as(proxyLog()).isTrue();
        long peak = peakResidentBytes();
        System.out.printf("peak of the proxy: %,d bytes%n", peak);
        assertThat(peak).as(proxyLog()).isBetween(1L, MAX_RESIDENT);
        assertThat(proxyLog()).doesNotContain("OutOfMemory");
    }

    /** Rows of one read or a few, rows of many, and rows of several packets. */
    @ParameterizedTest
    @CsvSource({"1048576, true", "15728640, false", "25165824, true"})
    void aResultPasses(int rowLength, boolean deprecateEof) throws Exception {
        long capabilities = RawClient.CAPABILITIES;
        if (!deprecateEof) {
            capabilities &= ~Capability.CLIENT_DEPRECATE_EOF.mask();
        }
        long rows = RESULT_LENGTH / rowLength;
        long began = System.nanoTime();
        try (RawClient client = new RawClient(port).logIn(capabilities)) {
            client.query("SELECT REPEAT('x', " + rowLength + ") FROM seq_1_to_" + rows);
            // Number of columns, and the definition.
            client.skipPacket();
            client.skipPacket();
            if (!deprecateEof) {
                client.skipPacket();
            }
            long bytes = 0;
            for (long i = 0; i < rows; i++) {
                bytes += client.skipPacket();
            }
            assertThat(bytes).isEqualTo(rows * (rowLength + (rowLength < 1 << 24 ? ROW_OVERHEAD : LARGE_ROW_OVERHEAD)));
            assertThat(client.skipPacket()).isEqualTo(deprecateEof ? 7 : 5);
            client.execute("DO 1");
        }
        report("result with rows of " + rowLength + " bytes", began);
    }

    @Test
    void aLocalFilePasses() throws Exception {
        byte[] packet = new byte[(int) MIB + 4];
        packet[2] = 16;
        long began = System.nanoTime();
        try (RawClient client = new RawClient(port).logIn(RawClient.CAPABILITIES)) {
            client.execute("CREATE TEMPORARY TABLE loaded (length INT) ENGINE=MyISAM");
            client.query("LOAD DATA LOCAL INFILE 'any' INTO TABLE loaded CHARACTER SET binary FIELDS"
                    + " ESCAPED BY '' LINES TERMINATED BY '\\n' (@line) SET length = LENGTH(@line)");
            int sequenceId = client.expect().sequenceId() + 1;
            for (int i = 0; i < FILE_PACKETS; i++) {
                Arrays.fill(packet, 4, packet.length, (byte) 'y');
                packet[packet.length - 1] = '\n';
                packet[3] = (byte) sequenceId++;
                client.sendBytes(packet);
            }
            client.send(sequenceId, new byte[0]);
            OkPacket ok = OkPacket.decode(client.expect().payload(), RawClient.CAPABILITIES);
            assertThat(ok.affectedRows()).isEqualTo(FILE_PACKETS);
            client.query("SELECT CAST(SUM(length) AS CHAR) FROM loaded");
            client.skipPacket();
            client.skipPacket();
            assertThat(client.expect().payload().utf8().substring(1))
                    .isEqualTo(Long.toString(FILE_PACKETS * (MIB - 1)));
        }
        report("local file", began);
    }

    /** What the proxy has taken from the server stays near what the clients have taken from the proxy. */
    @Test
    void clientsThatDoNotReadHoldTheServerUp() throws Exception {
        int readers = 8;
        List<RawClient> clients = new ArrayList<>();
        try {
            long before = bytesSent();
            for (int i = 0; i < readers; i++) {
                RawClient client = new RawClient(port).logIn(RawClient.CAPABILITIES);
                clients.add(client);
                client.query("SELECT REPEAT('z', 1048576) FROM seq_1_to_256");
            }
            long[] last = {before};
            await().atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> {
                        long now = bytesSent();
                        boolean still = now == last[0] && now - before > readers * MIB / 2;
                        last[0] = now;
                        return still;
                    });
            // The rest of it is in the system's socket buffers, of up to 6 MiB each way.
            assertThat(last[0] - before).isLessThan(16 * MIB * readers);
            // A reader that goes on gets the rest.
            RawClient late = clients.get(0);
            late.skipPacket();
            late.skipPacket();
            for (int i = 0; i < 256; i++) {
                assertThat(late.skipPacket()).isEqualTo(MIB + ROW_OVERHEAD);
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    private static void report(String what, long began) {
        System.out.printf("%s: %.1f s%n", what, (System.nanoTime() - began) / 1e9);
    }

    private static long bytesSent() throws Exception {
        URI uri = URI.create(
                "http://127.0.0.1:" + jolokiaPort + "/jolokia/read/tiproxy:type=Proxy,name=default/BytesSentTotal");
        String json = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        Matcher value = Pattern.compile("\"value\":(\\d+)").matcher(json);
        assertThat(value.find()).as(json).isTrue();
        return Long.parseLong(value.group(1));
    }

    private static long peakResidentBytes() throws IOException {
        Path status = Path.of("/proc", Long.toString(proxy.pid()), "status");
        if (!Files.exists(status)) {
            // Only Linux tells; elsewhere the two limits of the JVM have to do.
            return 1;
        }
        Matcher peak = Pattern.compile("VmHWM:\\s+(\\d+) kB").matcher(Files.readString(status));
        assertThat(peak.find()).isTrue();
        return Long.parseLong(peak.group(1)) * 1024;
    }

    private static String proxyLog() throws IOException {
        return Files.readString(folder.resolve("proxy.log"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}

package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.HostPort;

class ReadinessProbeTest {
    private static final int TIMEOUT_MILLIS = 60_000;

    private ServerSocket server;

    ReadinessProbeTest() throws IOException {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    }

    @BeforeEach
    void boundTests() throws IOException {
        server.setSoTimeout(TIMEOUT_MILLIS);
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    private HostPort address() {
        return new HostPort("127.0.0.1", server.getLocalPort());
    }

    /** Answers one connection; gives what was read until its end, so a reset would be an exception. */
    private CompletableFuture<String> serveOnce(byte[] answer) {
        return CompletableFuture.supplyAsync(() -> {
            try (Socket client = server.accept()) {
                client.setSoTimeout(TIMEOUT_MILLIS);
                client.getOutputStream().write(answer);
                return new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    @Test
    void tcpIsReadyWhenConnectedAndLeavesWithoutAReset() throws Exception {
        CompletableFuture<String> served = serveOnce("greeting".getBytes(StandardCharsets.UTF_8));
        new TcpProbe(address()).ask(TIMEOUT_MILLIS).close();
        assertThat(served.get(60, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void nothingListeningIsNotReady() throws Exception {
        HostPort address = address();
        server.close();
        assertThatThrownBy(() -> new TcpProbe(address).ask(TIMEOUT_MILLIS)).hasMessageContaining("refused");
        assertThatThrownBy(() -> new MySqlProbe(address).ask(TIMEOUT_MILLIS)).hasMessageContaining("refused");
    }

    @Test
    void aMySqlGreetingIsReady() throws Exception {
        // length 5, sequence id 0; protocol version 10, "5.7"…
        CompletableFuture<String> served = serveOnce(bytes(5, 0, 0, 0, 0x0a, '5', '.', '7', 0));
        new MySqlProbe(address()).ask(TIMEOUT_MILLIS).close();
        assertThat(served.get(60, TimeUnit.SECONDS)).isEmpty();
    }

    @Test
    void tooManyConnectionsIsReady() throws Exception {
        // length 4, sequence id 0; ERR, errno 1040 = 0x0410, one letter
        CompletableFuture<String> unused = serveOnce(bytes(4, 0, 0, 0, 0xff, 0x10, 0x04, '!'));
        new MySqlProbe(address()).ask(TIMEOUT_MILLIS).close();
    }

    @Test
    void aMySqlServerThatShutsDownIsNotReady() {
        // errno 1053 = 0x041d
        CompletableFuture<String> unused = serveOnce(bytes(4, 0, 0, 0, 0xff, 0x1d, 0x04, '!'));
        assertThatThrownBy(() -> new MySqlProbe(address()).ask(TIMEOUT_MILLIS)).hasMessageContaining("shutting down");
    }

    @Test
    void anotherProtocolIsNoMySqlServer() {
        CompletableFuture<String> unused = serveOnce("SSH-2.0-OpenSSH\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> new MySqlProbe(address()).ask(TIMEOUT_MILLIS)).hasMessageContaining("no MySQL server");
    }

    @Test
    void aConnectionClosedBeforeTheGreetingIsNotReady() {
        CompletableFuture<Void> served = CompletableFuture.runAsync(() -> {
            try {
                server.accept().close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThatThrownBy(() -> new MySqlProbe(address()).ask(TIMEOUT_MILLIS)).isInstanceOf(IOException.class);
        assertThatCode(served::join).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 302, 399})
    void goodHttpStatusesAreReady(int status) throws Exception {
        try (HttpStub http = new HttpStub(status)) {
            new HttpProbe(http.uri()).ask(TIMEOUT_MILLIS).close();
            assertThat(http.requests()).containsExactly("GET /health?x=1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 500, 503})
    void badHttpStatusesAreNotReady(int status) throws Exception {
        try (HttpStub http = new HttpStub(status)) {
            assertThatThrownBy(() -> new HttpProbe(http.uri()).ask(TIMEOUT_MILLIS))
                    .hasMessage("HTTP status " + status);
        }
    }

    @Test
    void theHttpProbeNeedsAUrl() {
        assertThatThrownBy(() -> new HttpProbe(null)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new HttpProbe(URI.create("file:/etc/passwd")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void pausesBeginShortAndGrowWithTheTimeWaited() {
        long max = Duration.ofMillis(500).toNanos();
        assertThat(Duration.ofNanos(ProbeLoop.pause(0, max))).isEqualTo(Duration.ofMillis(2));
        assertThat(Duration.ofNanos(ProbeLoop.pause(Duration.ofMillis(40).toNanos(), max)))
                .isEqualTo(Duration.ofMillis(5));
        assertThat(Duration.ofNanos(ProbeLoop.pause(Duration.ofSeconds(1).toNanos(), max)))
                .isEqualTo(Duration.ofMillis(10));
        assertThat(Duration.ofNanos(ProbeLoop.pause(Duration.ofSeconds(10).toNanos(), max)))
                .isEqualTo(Duration.ofMillis(50));
        assertThat(Duration.ofNanos(ProbeLoop.pause(Duration.ofHours(1).toNanos(), max)))
                .isEqualTo(Duration.ofMillis(500));
        assertThat(Duration.ofNanos(ProbeLoop.pause(Duration.ofHours(1).toNanos(), 1_000_000)))
                .isEqualTo(Duration.ofMillis(1));
    }
}

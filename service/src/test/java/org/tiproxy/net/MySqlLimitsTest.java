package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.server.ErrPacket;

/** What a MySQL session does to clients that are too many, too slow, or something else. */
@Timeout(60)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class MySqlLimitsTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    /** For what has to be done within the limit, on a busy machine too. */
    private static final Duration LONG_ENOUGH = Duration.ofSeconds(2);

    @Parameter
    NetworkTransport transport;

    private final TestProxy proxy = new TestProxy();
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(2);
    private final List<Socket> accepted = new ArrayList<>();
    private ServerSocket server;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        server.setSoTimeout(30_000);
        proxy.transport = transport;
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        server.close();
        for (Socket socket : accepted) {
            socket.close();
        }
        threads.shutdownNow();
    }

    private void start() throws Exception {
        proxy.start(new HostPort("127.0.0.1", server.getLocalPort()));
    }

    private static LoginLimits limits(Duration timeout, int maxHalfOpen) {
        return new LoginLimits(timeout, maxHalfOpen, 72 * 1024);
    }

    private MySqlPeer client() throws IOException {
        return new MySqlPeer(proxy.connect());
    }

    private MySqlPeer backend() throws IOException {
        Socket socket = server.accept();
        socket.setSoTimeout(30_000);
        // The JDK closes a socket that nobody refers to.
        accepted.add(socket);
        return new MySqlPeer(socket);
    }

    /** The one session there is. */
    private ProxySession session() {
        await().until(() -> proxy.sessions.sessions().size() == 1);
        return proxy.sessions.sessions().iterator().next();
    }

    private static void awaitEnd(ProxySession session, String start) {
        await().untilAsserted(() -> assertThat(session.ended()).startsWith(start));
    }

    @Test
    void oneConnectionTooManyIsToldTheNumbers() throws Exception {
        proxy.maxConnections = 1;
        start();
        client().logIn(backend());

        MySqlPeer second = client();
        MySqlPeer.Packet packet = second.read();
        assertThat(packet.sequenceId()).isZero();
        assertThat(packet.err())
                .isEqualTo(new ErrPacket(
                        1040,
                        "08004",
                        "Too many connections: all 1 that this proxy allows are in use (proxy.max-connections)"));
        assertThat(second.atEnd()).isTrue();
        assertThat(proxy.sessions.rejectedTotal()).isEqualTo(1);
        assertThat(proxy.sessions.active()).isEqualTo(1);
    }

    @Test
    void whoSendsAtOnceIsToldThatThereAreTooManyAsWell() throws Exception {
        proxy.maxConnections = 1;
        start();
        client().logIn(backend());

        MySqlPeer second = client();
        second.send(new byte[1 << 20]);
        assertThat(second.read().err().code()).isEqualTo(1040);
        assertThat(second.atEnd()).isTrue();
        second.socket.close();
        await().untilAsserted(() ->
                assertThat(proxy.listener.lingeringClose().lingering()).isZero());
    }

    @Test
    void oneLoginTooManyIsToldTheNumbersUntilOneIsLoggedIn() throws Exception {
        proxy.login = limits(Duration.ofMinutes(1), 2);
        start();
        MySqlPeer first = client();
        MySqlPeer firstBackend = backend();
        client();
        backend();

        assertThat(client().read().err())
                .isEqualTo(new ErrPacket(
                        1040,
                        "08004",
                        "Too many connections: 2 others are not logged in yet, which is the limit"
                                + " (proxy.max-half-open-logins)"));
        assertThat(proxy.sessions.rejectedTotal()).isEqualTo(1);

        first.logIn(firstBackend);
        MySqlPeer fourth = client();
        fourth.logIn(backend());
        await().untilAsserted(() -> assertThat(proxy.listener.halfOpenLogins()).isEqualTo(1));
    }

    @Test
    void whoLeavesBeforeTheLoginGivesItsPlaceBack() throws Exception {
        proxy.login = limits(Duration.ofMinutes(1), 1);
        start();
        MySqlPeer first = client();
        backend();
        first.socket.close();
        await().untilAsserted(() -> assertThat(proxy.listener.halfOpenLogins()).isZero());

        client().logIn(backend());
        assertThat(proxy.sessions.rejectedTotal()).isZero();
    }

    @Test
    void whoWaitsForTheBackendsStartIsNoHalfOpenLogin() throws Exception {
        HeldGate gate = new HeldGate();
        proxy.gate = gate;
        proxy.login = limits(Duration.ofMinutes(1), 1);
        start();
        MySqlPeer first = client();
        BackendGate.Visitor firstVisitor = gate.next();
        MySqlPeer second = client();
        BackendGate.Visitor secondVisitor = gate.next();

        firstVisitor.admitted();
        first.logIn(backend());
        secondVisitor.admitted();
        second.logIn(backend());
        assertThat(proxy.sessions.rejectedTotal()).isZero();
        assertThat(proxy.listener.halfOpenLogins()).isZero();
    }

    @Test
    void whoSaysNothingAfterTheGreetingIsToldAndClosed() throws Exception {
        proxy.login = limits(SHORT, 10);
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend().greet();
        client.read();

        MySqlPeer.Packet packet = client.read();
        assertThat(packet.err().code()).isEqualTo(1159);
        assertThat(packet.err().message()).contains("waited for the client");
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "CLIENT (LOGIN_TIMED_OUT): ");
        await().untilAsserted(() -> assertThat(proxy.listener.halfOpenLogins()).isZero());
    }

    @Test
    void whoTricklesItsLoginIsToldAndClosed() throws Exception {
        proxy.login = limits(SHORT, 10);
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend().greet();
        client.read();
        byte[] header = {(byte) 0xff, 0, 0, 1};
        client.send(header);
        var trickle = threads.scheduleAtFixedRate(() -> drip(client.socket), 0, 20, TimeUnit.MILLISECONDS);

        assertThat(client.read().err().code()).isEqualTo(1159);
        trickle.cancel(false);
        awaitEnd(session, "CLIENT (LOGIN_TIMED_OUT): ");
    }

    private static void drip(Socket socket) {
        try {
            socket.getOutputStream().write(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theWaitForTheBackendsStartIsNoLoginTime() throws Exception {
        HeldGate gate = new HeldGate();
        proxy.gate = gate;
        proxy.login = limits(LONG_ENOUGH, 10);
        start();
        MySqlPeer patient = client();
        BackendGate.Visitor waiting = gate.next();

        // One that came later is too slow: so the time is over for the first one too, if it counted.
        MySqlPeer slow = client();
        gate.next().admitted();
        backend().greet();
        slow.read();
        assertThat(slow.read().err().code()).isEqualTo(1159);

        waiting.admitted();
        patient.logIn(backend());
    }

    @Test
    void aBackendThatNeverGreetsIsReportedToTheClient() throws Exception {
        proxy.login = limits(SHORT, 1);
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend();

        MySqlPeer.Packet packet = client.read();
        assertThat(packet.sequenceId()).isZero();
        assertThat(packet.err().sqlState()).isEqualTo("08S01");
        assertThat(packet.err().message()).contains("not greeted within 200 ms");
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "BACKEND (BACKEND_UNAVAILABLE): ");
        await().untilAsserted(() -> assertThat(proxy.listener.halfOpenLogins()).isZero());
        assertThat(proxy.sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void whoDoesNotFinishAChangeOfUserIsToldAndClosed() throws Exception {
        proxy.login = limits(LONG_ENOUGH, 10);
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(Hex.packet(0, "11", "'other'", "00 00 00", "2d00", "'mysql_native_password'", "00"));
        backend.read();
        backend.send(Hex.packet(1, "fe", "'mysql_native_password'", "00", "'abcdefghijklmnopqrst'", "00"));
        assertThat(client.read().first()).isEqualTo(0xfe);

        assertThat(client.read().err().code()).isEqualTo(1159);
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "CLIENT (LOGIN_TIMED_OUT): ");
    }

    @Test
    void whoSpeaksHttpIsClosedAndCounted() throws Exception {
        HeldGate gate = new HeldGate();
        proxy.gate = gate;
        start();
        foreign("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII), "SPEAKS_HTTP");
    }

    @Test
    void whoSendsAProxyHeaderFromAnUntrustedAddressIsClosedAndCounted() throws Exception {
        HeldGate gate = new HeldGate();
        proxy.gate = gate;
        start();
        foreign("PROXY TCP4 10.1.2.3 10.1.2.4 1 2\r\n".getBytes(StandardCharsets.US_ASCII), "SPEAKS_PROXY_PROTOCOL");
        foreign(ProxyHeaders.v2Local(), "SPEAKS_PROXY_PROTOCOL");
    }

    @Test
    void whoSendsGarbageIsClosedAndCounted() throws Exception {
        HeldGate gate = new HeldGate();
        proxy.gate = gate;
        start();
        byte[] garbage = new byte[300_000];
        new Random(1).nextBytes(garbage);
        foreign(garbage, "SPOKE_FIRST");
    }

    /** Before the greeting. */
    private void foreign(byte[] bytes, String reason) throws Exception {
        MySqlPeer client = client();
        ProxySession session = session();
        client.send(bytes);
        assertThat(client.socket.getInputStream().readAllBytes()).isEmpty();
        awaitEnd(session, "CLIENT (" + reason + "): ");
        await().until(() -> proxy.sessions.sessions().isEmpty());
    }

    @Test
    void httpAfterTheGreetingIsClosedAndCounted() throws Exception {
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend().greet();
        client.read();
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "CLIENT (SPEAKS_HTTP): ");
    }

    @Test
    void garbageAfterTheGreetingIsAnErr() throws Exception {
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend().greet();
        client.read();
        client.send(new byte[] {5, 0, 0, 7, 1, 2, 3, 4, 5});
        assertThat(client.read().err().code()).isEqualTo(1156);
        awaitEnd(session, "CLIENT (LOGIN_OUT_OF_ORDER): ");
    }

    @Test
    void aLargerLoginPacketThanAllowedIsAnErr() throws Exception {
        proxy.login = new LoginLimits(Duration.ofMinutes(1), 10, 1000);
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        backend().greet();
        client.read();
        client.send(new byte[] {(byte) 0xe9, 3, 0, 1});
        assertThat(client.read().err().message()).contains("at most 1000 bytes");
        awaitEnd(session, "CLIENT (LOGIN_PACKET_TOO_LARGE): ");
    }

    @Test
    void whoStartsTlsAtOnceIsClosedAndCounted() throws Exception {
        start();
        Socket plain = proxy.connect();
        ProxySession session = session();
        backend();
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        try (SSLSocket tls = (SSLSocket) factory.createSocket(plain, "localhost", plain.getPort(), true)) {
            assertThatThrownBy(tls::startHandshake).isInstanceOf(SSLException.class);
        }
        awaitEnd(session, "CLIENT (SPEAKS_TLS): ");
    }

    @Test
    void whoIsStillSendingGetsTheErr() throws Exception {
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        MySqlPeer backend = backend();
        client.logIn(backend);
        CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> sendHugeQuery(client), threads);
        backend.socket.getInputStream().readNBytes(100_000);
        // With unread input: a reset.
        backend.socket.close();

        assertThat(client.read().err().code()).isEqualTo(1158);
        assertThat(client.atEnd()).isTrue();
        sent.get(30, TimeUnit.SECONDS);
        awaitEnd(session, "BACKEND (BACKEND_CLOSED): ");
    }

    private static void sendHugeQuery(MySqlPeer client) {
        try {
            client.send(MySqlPeer.query("x".repeat(12 << 20)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whoIsIdleForTooLongIsToldAndClosed() throws Exception {
        proxy.idleTimeout = SHORT;
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        MySqlPeer backend = backend();
        client.logIn(backend);

        MySqlPeer.Packet packet = client.read();
        assertThat(packet.sequenceId()).isZero();
        assertThat(packet.err().code()).isEqualTo(4031);
        assertThat(packet.err().sqlState()).isEqualTo("HY000");
        assertThat(packet.err().message()).contains("no command for 200 ms (proxy.idle-timeout)");
        assertThat(client.atEnd()).isTrue();
        assertThat(backend.read().first()).as("COM_QUIT").isEqualTo(1);
        awaitEnd(session, "PROXY (IDLE_TIMEOUT): ");
    }

    @Test
    void whoStopsInTheMiddleOfACommandIsIdle() throws Exception {
        proxy.idleTimeout = LONG_ENOUGH;
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        client.logIn(backend());
        client.send(new byte[] {0x20, 0, 0, 0, 3, 'S'});

        assertThat(client.read().err().code()).isEqualTo(4031);
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "PROXY (IDLE_TIMEOUT): ");
    }

    @Test
    void whoWaitsForAnAnswerIsNotIdle() throws Exception {
        proxy.idleTimeout = LONG_ENOUGH;
        start();
        MySqlPeer waiting = client();
        MySqlPeer busy = backend();
        waiting.logIn(busy);
        waiting.send(MySqlPeer.query("SELECT SLEEP(100)"));
        busy.read();

        // One that came later has been idle for long enough twice.
        for (int i = 0; i < 2; i++) {
            MySqlPeer idle = client();
            idle.logIn(backend());
            assertThat(idle.read().err().code()).isEqualTo(4031);
        }
        busy.ok(1);
        assertThat(waiting.read().first()).isZero();
    }

    @Test
    void moreCommandsThanMayBeInFlightArePassedOnBitByBit() throws Exception {
        start();
        MySqlPeer client = client();
        ProxySession session = session();
        MySqlPeer backend = backend();
        client.logIn(backend);
        int commands = 1_000_000;
        CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> sendPings(client, commands), threads);

        // The backend answers nothing: the proxy must stop reading after a while.
        byte[] first = backend.socket.getInputStream().readNBytes(256 * 5);
        assertThat(first).startsWith(MySqlPeer.ping());
        CompletableFuture<Void> answered = CompletableFuture.runAsync(() -> answerPings(backend, commands), threads);
        long held = session.bytesReceived();
        for (int i = 0; i < commands; i++) {
            MySqlPeer.Packet answer = client.read();
            if (answer.first() != 0) {
                throw new AssertionError("answer " + i + " is no OK");
            }
        }
        sent.get(30, TimeUnit.SECONDS);
        answered.get(30, TimeUnit.SECONDS);
        assertThat(held).isLessThan(1 << 20);
    }

    private static void sendPings(MySqlPeer client, int count) {
        byte[] pings = new byte[5 * 10_000];
        for (int i = 0; i < 10_000; i++) {
            System.arraycopy(MySqlPeer.ping(), 0, pings, 5 * i, 5);
        }
        try {
            for (int i = 0; i < count / 10_000; i++) {
                client.send(pings);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void answerPings(MySqlPeer backend, int count) {
        try {
            backend.ok(1);
            int answered = 1;
            byte[] chunk = new byte[64 * 1024];
            int received = 256 * 5;
            while (answered < count) {
                while (answered < received / 5) {
                    backend.ok(1);
                    answered++;
                }
                if (answered < count) {
                    received += backend.socket.getInputStream().read(chunk);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

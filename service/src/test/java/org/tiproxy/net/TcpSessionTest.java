package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/** The relay over real sockets; the test itself is the client and the backend. */
@Timeout(60)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class TcpSessionTest {
    @Parameter
    NetworkTransport transport;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final FakeGate gate = new FakeGate();
    private final List<AutoCloseable> resources = new ArrayList<>();
    private ServerSocket backend;
    private SessionRegistry sessions;
    private ProxyListener proxy;

    @BeforeEach
    void listen() throws Exception {
        backend = new ServerSocket();
        backend.setReceiveBufferSize(64 * 1024);
        backend.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 200);
        start(Duration.ZERO, 0, HostPort.of((InetSocketAddress) backend.getLocalSocketAddress()));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable resource : resources) {
            resource.close();
        }
        backend.close();
        proxy.shutdown();
        threads.shutdownNow();
    }

    private void start(Duration idleTimeout, int maxConnections, HostPort target) throws ProxyException {
        if (proxy != null) {
            proxy.shutdown();
        }
        sessions = new SessionRegistry(maxConnections);
        ProxyConfig config = new ProxyConfig(
                new HostPort("127.0.0.1", 0),
                ProxyConfig.Protocol.TCP,
                maxConnections,
                idleTimeout,
                true,
                Duration.ofSeconds(5),
                2,
                128,
                transport,
                Duration.ZERO,
                Duration.ofSeconds(15));
        proxy = new ProxyListener(config, target, gate, sessions, Ticker.SYSTEM, threads);
        proxy.open();
    }

    private Socket client() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), proxy.address().port());
        socket.setSoTimeout(30_000);
        resources.add(socket);
        return socket;
    }

    private Socket accepted() throws IOException {
        Socket socket = backend.accept();
        socket.setSoTimeout(30_000);
        resources.add(socket);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String receive(Socket socket, int length) throws IOException {
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
    }

    private void awaitNoSessions() {
        await().untilAsserted(() -> {
            assertThat(sessions.active()).isZero();
            assertThat(sessions.sessions()).isEmpty();
            assertThat(gate.inside()).isZero();
        });
    }

    @Test
    void bytesPassInBothDirectionsAndAreCounted() throws Exception {
        Socket client = client();
        Socket server = accepted();

        send(client, "hello");
        assertThat(receive(server, 5)).isEqualTo("hello");
        send(server, "how are you");
        assertThat(receive(client, 11)).isEqualTo("how are you");

        ProxySession session = sessions.sessions().iterator().next();
        await().untilAsserted(() -> {
            assertThat(session.bytesReceived()).isEqualTo(5);
            assertThat(session.bytesSent()).isEqualTo(11);
        });
        assertThat(session.client().port()).isEqualTo(client.getLocalPort());
        assertThat(session.backend()).isEqualTo(new HostPort("127.0.0.1", backend.getLocalPort()));
        assertThat(sessions.bytesReceivedTotal()).isEqualTo(5);
        assertThat(sessions.bytesSentTotal()).isEqualTo(11);
        client.close();
        assertThat(server.getInputStream().read()).isEqualTo(-1);
        server.close();
        awaitNoSessions();
        assertThat(sessions.connectionsTotal()).isEqualTo(1);
        assertThat(sessions.failedTotal()).isZero();
    }

    @Test
    void aClientThatShutsDownItsOutputStillGetsTheWholeAnswer() throws Exception {
        Socket client = client();
        Socket server = accepted();
        byte[] answer = new byte[3_000_000];
        new Random(1).nextBytes(answer);

        send(client, "request");
        client.shutdownOutput();
        assertThat(server.getInputStream().readAllBytes()).hasSize(7);
        threads.execute(() -> write(server, answer, true));

        assertThat(client.getInputStream().readAllBytes()).isEqualTo(answer);
        awaitNoSessions();
    }

    @Test
    void aBackendThatShutsDownItsOutputStillHearsTheClient() throws Exception {
        Socket client = client();
        Socket server = accepted();

        server.shutdownOutput();
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        send(client, "still here");
        assertThat(receive(server, 10)).isEqualTo("still here");
    }

    @Test
    void aSlowReaderStopsTheOtherSidesReading() throws Exception {
        Socket client = client();
        Socket server = accepted();
        AtomicLong written = new AtomicLong();
        int limit = 512 << 20;
        CompletableFuture<Void> writer = CompletableFuture.runAsync(
                () -> {
                    byte[] block = new byte[64 * 1024];
                    try {
                        while (written.get() < limit) {
                            server.getOutputStream().write(block);
                            written.addAndGet(block.length);
                        }
                        server.shutdownOutput();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                threads);

        // Nobody reads: the writer comes to a halt when the sockets' buffers are full.
        AtomicLong last = new AtomicLong(-1);
        await().pollInterval(Duration.ofMillis(300)).until(() -> last.getAndSet(written.get()) == written.get());
        long stalledAt = written.get();
        assertThat(stalledAt).isLessThan(100 << 20);
        assertThat(writer).isNotDone();

        long read = 0;
        byte[] buffer = new byte[64 * 1024];
        for (int n; (n = client.getInputStream().read(buffer)) >= 0; ) {
            read += n;
        }
        assertThat(read).isEqualTo(limit);
        writer.get(30, TimeUnit.SECONDS);
    }

    @Test
    void aBackendThatReadsLateGetsAllOfAClientThatHasHungUp() throws Exception {
        // As much as the proxy takes while the backend does not read. A little more than that, and what is left waits
        // in the proxy's receive buffer together with the end of the client's output.
        int taken = uploadToALateBackend(32_000_000);
        for (int more = 16_000; more < 1_200_000; more *= 2) {
            uploadToALateBackend(taken + more);
        }
    }

    private int uploadToALateBackend(int length) throws Exception {
        Socket client = client();
        Socket server = accepted();
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        threads.execute(() -> write(client, bytes, true));

        ProxySession session = sessions.sessions().iterator().next();
        AtomicLong last = new AtomicLong(-1);
        await().pollInterval(Duration.ofMillis(150))
                .until(() -> last.getAndSet(session.bytesReceived()) == session.bytesReceived());
        int taken = (int) session.bytesReceived();

        assertThat(server.getInputStream().readAllBytes()).as("of " + length).isEqualTo(bytes);
        send(server, "thanks");
        server.close();
        assertThat(receive(client, 6)).isEqualTo("thanks");
        client.close();
        awaitNoSessions();
        return taken;
    }

    @Test
    void randomTrafficInBothDirectionsArrivesUnchanged() throws Exception {
        List<CompletableFuture<Void>> talks = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int seed = i;
            Socket client = client();
            Socket server = accepted();
            talks.add(talk(client, server, seed));
            talks.add(talk(server, client, seed + 1000));
        }
        CompletableFuture.allOf(talks.toArray(CompletableFuture[]::new)).get(50, TimeUnit.SECONDS);
        awaitNoSessions();
    }

    private CompletableFuture<Void> talk(Socket from, Socket to, int seed) {
        byte[] bytes = new byte[new Random(seed).nextInt(2_000_000)];
        new Random(seed).nextBytes(bytes);
        threads.execute(() -> {
            Random random = new Random(seed);
            try {
                for (int at = 0; at < bytes.length; ) {
                    int n = Math.min(1 + random.nextInt(50_000), bytes.length - at);
                    from.getOutputStream().write(bytes, at, n);
                    at += n;
                }
                from.shutdownOutput();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        assertThat(Arrays.equals(to.getInputStream().readAllBytes(), bytes))
                                .isTrue();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                threads);
    }

    @Test
    void aResetOfTheBackendReachesTheClientAfterTheBytesBefore() throws Exception {
        Socket client = client();
        Socket server = accepted();
        send(server, "partial answer");
        assertThat(receive(client, 14)).isEqualTo("partial answer");

        server.setSoLinger(true, 0);
        server.close();

        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        awaitNoSessions();
    }

    @Test
    void anAnswerSentBeforeTheBackendRefusedTheRestOfTheRequestIsDelivered() throws Exception {
        Socket client = client();
        Socket server = accepted();
        threads.execute(() -> {
            try {
                byte[] block = new byte[64 * 1024];
                for (int i = 0; i < 1000; i++) {
                    client.getOutputStream().write(block);
                }
            } catch (IOException e) {
                // The backend hangs up in the middle: that is the point.
            }
        });
        assertThat(server.getInputStream().readNBytes(100_000)).hasSize(100_000);
        send(server, "413 too large");
        // Unread bytes in the receive buffer make this a reset.
        server.close();

        assertThat(receive(client, 13)).isEqualTo("413 too large");
        awaitNoSessions();
    }

    @Test
    void aClientThatIsResetEndsTheBackendsConnection() throws Exception {
        Socket client = client();
        Socket server = accepted();
        send(client, "x");
        assertThat(receive(server, 1)).isEqualTo("x");

        client.setSoLinger(true, 0);
        client.close();

        assertThatThrownBy(() -> {
                    if (server.getInputStream().read() < 0) {
                        throw new SocketException("closed");
                    }
                })
                .isInstanceOf(SocketException.class);
        awaitNoSessions();
    }

    @Test
    void aBackendThatCannotBeReachedEndsTheClientAndIsCounted() throws Exception {
        int freePort;
        try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            freePort = unused.getLocalPort();
        }
        start(Duration.ZERO, 0, new HostPort("127.0.0.1", freePort));

        Socket client = client();
        assertThatThrownBy(() -> {
                    if (client.getInputStream().read() < 0) {
                        throw new SocketException("closed");
                    }
                })
                .isInstanceOf(SocketException.class);
        awaitNoSessions();
        assertThat(sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void aBackendGivenByNameIsResolvedAndReached() throws Exception {
        start(Duration.ZERO, 0, new HostPort("localhost", backend.getLocalPort()));
        Socket client = client();
        Socket server = accepted();
        send(client, "hi");
        assertThat(receive(server, 2)).isEqualTo("hi");
    }

    @Test
    void connectionsBeyondTheLimitAreRejectedAndTheOthersGoOn() throws Exception {
        start(Duration.ZERO, 1, new HostPort("127.0.0.1", backend.getLocalPort()));
        Socket first = client();
        Socket server = accepted();

        Socket second = client();
        assertThatThrownBy(() -> {
                    if (second.getInputStream().read() < 0) {
                        throw new SocketException("closed");
                    }
                })
                .isInstanceOf(SocketException.class);
        assertThat(sessions.rejectedTotal()).isEqualTo(1);

        send(first, "on");
        assertThat(receive(server, 2)).isEqualTo("on");
        first.close();
        server.close();
        awaitNoSessions();
        client();
        accepted();
    }

    @Test
    void aConnectionOnWhichNothingIsSentIsClosedAfterTheIdleTimeout() throws Exception {
        start(Duration.ofMillis(200), 0, new HostPort("127.0.0.1", backend.getLocalPort()));
        Socket client = client();
        accepted();

        assertThat(client.getInputStream().read()).isEqualTo(-1);
        awaitNoSessions();
    }

    @Test
    void aClientThatWaitsForItsBackendIsNotIdle() throws Exception {
        start(Duration.ofMillis(100), 0, new HostPort("127.0.0.1", backend.getLocalPort()));
        gate.hold();
        Socket client = client();
        BackendGate.Visitor visitor = gate.next();
        client.setSoTimeout(500);
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        client.setSoTimeout(30_000);
        visitor.admitted();
        send(accepted(), "here");
        assertThat(receive(client, 4)).isEqualTo("here");
    }

    @Test
    void aClientThatIsResetAfterItsHalfCloseIsNoticedThoughTheBackendIsSilent() throws Exception {
        Socket client = client();
        Socket server = accepted();
        client.shutdownOutput();
        assertThat(server.getInputStream().read()).isEqualTo(-1);

        client.setSoLinger(true, 0);
        client.close();

        if (transport == NetworkTransport.EPOLL) {
            awaitNoSessions();
        }
        // NIO learns of it when the backend says something.
        assertThatThrownBy(() -> {
                    while (true) {
                        server.getOutputStream().write(new byte[1000]);
                    }
                })
                .isInstanceOf(SocketException.class);
        awaitNoSessions();
    }

    @Test
    void aClientThatIsResetInMidUploadIsNotTakenForOneThatHasFinished() throws Exception {
        Socket client = client();
        Socket server = accepted();
        threads.execute(() -> {
            try {
                client.getOutputStream().write(new byte[32_000_000]);
            } catch (IOException e) {
                // Reset by this test: that is the point.
            }
        });
        ProxySession session = sessions.sessions().iterator().next();
        AtomicLong last = new AtomicLong(-1);
        await().pollInterval(Duration.ofMillis(150))
                .until(() -> last.getAndSet(session.bytesReceived()) == session.bytesReceived());
        client.setSoLinger(true, 0);
        client.close();
        server.shutdownOutput();

        assertThatThrownBy(() -> server.getInputStream().readAllBytes()).isInstanceOf(SocketException.class);
        awaitNoSessions();
    }

    @Test
    void everyRelayedSocketHasKeepAlive() throws Exception {
        SocketChannel channel = transport.resolved().socketChannelFactory().newChannel();
        try {
            new SocketOptions(true, true, transport).apply(channel.config());
            assertThat(channel.config().isKeepAlive()).isTrue();
        } finally {
            channel.unsafe().closeForcibly();
        }
    }

    @Test
    void anOperatorCanCloseOneConnection() throws Exception {
        Socket client = client();
        accepted();
        Socket other = client();
        Socket otherServer = accepted();
        long id = sessions.sessions().stream()
                .filter(session -> session.client().port() == client.getLocalPort())
                .findFirst()
                .orElseThrow()
                .id();

        sessions.find(id).close(ProxyError.CLOSED_BY_OPERATOR, "test");

        // A reset: what the client has got may not be all.
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        send(other, "ok");
        assertThat(receive(otherServer, 2)).isEqualTo("ok");
    }

    @Test
    void aPausedListenerLeavesNewClientsInTheQueue() throws Exception {
        proxy.accept(false);
        Socket client = client();
        send(client, "x");
        client.setSoTimeout(300);
        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        assertThat(sessions.connectionsTotal()).isZero();

        proxy.accept(true);
        assertThat(receive(accepted(), 1)).isEqualTo("x");
    }

    @Test
    void aClosedListenerRefusesAndCanBeOpenedAgainOnTheSamePort() throws Exception {
        int port = proxy.address().port();
        Socket open = client();
        Socket server = accepted();

        proxy.close();
        assertThatThrownBy(this::client).isInstanceOf(IOException.class);
        send(open, "y");
        assertThat(receive(server, 1)).isEqualTo("y");

        proxy.open();
        assertThat(proxy.address().port()).isEqualTo(port);
        client();
        accepted();
    }

    @Test
    void anAddressInUseIsReportedWithWhatToDo() throws Exception {
        int taken = proxy.address().port();
        ProxyConfig config = new ProxyConfig(
                new HostPort("127.0.0.1", taken),
                ProxyConfig.Protocol.TCP,
                0,
                Duration.ZERO,
                true,
                Duration.ofSeconds(5),
                1,
                128,
                transport,
                Duration.ZERO,
                Duration.ZERO);
        ProxyListener second = new ProxyListener(
                config, new HostPort("127.0.0.1", 1), gate, new SessionRegistry(0), Ticker.SYSTEM, threads);
        resources.add(second::shutdown);

        assertThatThrownBy(second::open)
                .isInstanceOf(ProxyException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1:" + taken)
                .hasMessageContaining("--bind");
    }

    // ---- at the gate

    @Test
    void aWaitingClientsBytesReachTheBackendOnceItIsThere() throws Exception {
        gate.hold();
        Socket client = client();
        send(client, "early bird");
        client.shutdownOutput();
        BackendGate.Visitor visitor = gate.next();

        visitor.admitted();
        Socket server = accepted();
        assertThat(server.getInputStream().readAllBytes()).hasSize(10);
        send(server, "worm");
        server.close();
        assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                .isEqualTo("worm");
        awaitNoSessions();
    }

    @Test
    void aWaitingClientIsHeldToABoundedNumberOfBytes() throws Exception {
        gate.hold();
        Socket client = client();
        byte[] much = new byte[20_000_000];
        new Random(5).nextBytes(much);
        threads.execute(() -> write(client, much, true));
        BackendGate.Visitor visitor = gate.next();
        ProxySession session = sessions.sessions().iterator().next();
        await().until(() -> session.bytesReceived() >= TcpSession.EARLY_BYTES);
        assertThat(session.bytesReceived()).isLessThan(TcpSession.EARLY_BYTES * 4);

        visitor.admitted();
        assertThat(accepted().getInputStream().readAllBytes()).isEqualTo(much);
    }

    @Test
    void aWaitingClientThatLeavesStopsCounting() throws Exception {
        gate.hold();
        Socket client = client();
        gate.next();
        assertThat(gate.inside()).isEqualTo(1);
        client.close();
        awaitNoSessions();

        Socket impatient = client();
        send(impatient, "something");
        gate.next();
        impatient.setSoLinger(true, 0);
        impatient.close();
        awaitNoSessions();
    }

    @Test
    void aWaitingClientThatAnOperatorClosesIsReset() throws Exception {
        gate.hold();
        Socket client = client();
        gate.next();
        sessions.sessions().iterator().next().close(ProxyError.CLOSED_BY_OPERATOR, "test");

        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        awaitNoSessions();
    }

    @Test
    void aBackendThatIsGoneBeforeItIsConnectedEndsTheSession() throws Exception {
        backend.close();
        gate.hold();
        Socket client = client();
        BackendGate.Visitor visitor = gate.next();
        visitor.admitted();
        visitor.backendGone("exited with status 137");

        assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(SocketException.class);
        awaitNoSessions();
        assertThat(sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void aRefusedClientIsClosedAndCounted() throws Exception {
        gate.hold();
        Socket client = client();
        gate.next().refused(new ProxyException(ProxyError.BACKEND_START_FAILED, "no"));

        assertThatThrownBy(() -> {
                    if (client.getInputStream().read() < 0) {
                        throw new SocketException("closed");
                    }
                })
                .isInstanceOf(SocketException.class);
        awaitNoSessions();
        assertThat(sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void whatABackendSentBeforeItDiedIsDeliveredAndTheClientIsClosed() throws Exception {
        gate.hold();
        Socket client = client();
        BackendGate.Visitor visitor = gate.next();
        visitor.admitted();
        Socket server = accepted();
        byte[] last = new byte[2_000_000];
        new Random(9).nextBytes(last);
        threads.execute(() -> write(server, last, true));
        visitor.backendGone("exited with status 137");

        assertThat(client.getInputStream().readAllBytes()).isEqualTo(last);
        awaitNoSessions();
    }

    private static void write(Socket socket, byte[] bytes, boolean end) {
        try {
            socket.getOutputStream().write(bytes);
            if (end) {
                socket.shutdownOutput();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Admits at once, or lets the test decide; counts who is inside. */
    private static final class FakeGate implements BackendGate {
        private final BlockingQueue<Visitor> visitors = new LinkedBlockingQueue<>();
        private final AtomicLong inside = new AtomicLong();
        private volatile boolean holding;

        void hold() {
            holding = true;
        }

        Visitor next() throws InterruptedException {
            Visitor visitor = visitors.poll(30, TimeUnit.SECONDS);
            assertThat(visitor).isNotNull();
            return visitor;
        }

        long inside() {
            return inside.get();
        }

        @Override
        public Ticket enter(Visitor visitor) {
            inside.incrementAndGet();
            if (holding) {
                visitors.add(visitor);
            } else {
                visitor.admitted();
            }
            AtomicBoolean left = new AtomicBoolean();
            return () -> {
                if (left.compareAndSet(false, true)) {
                    inside.decrementAndGet();
                }
            };
        }
    }
}

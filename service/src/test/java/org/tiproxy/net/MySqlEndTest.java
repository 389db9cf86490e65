package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.Listener;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.wire.Hex;

/** How MySQL sessions end when the backend's process ends, and when the proxy is drained. */
@Timeout(60)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class MySqlEndTest {
    private static final String REASON = "the child exited with status 137";

    @Parameter
    NetworkTransport transport;

    private final TestProxy proxy = new TestProxy();
    private final HeldGate gate = new HeldGate();
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(2);
    private final List<Socket> accepted = new ArrayList<>();
    private ServerSocket server;

    @BeforeEach
    void listen() throws Exception {
        server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        server.setSoTimeout(30_000);
        proxy.transport = transport;
        proxy.gate = gate;
        proxy.start(new HostPort("127.0.0.1", server.getLocalPort()));
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

    private ProxySession session() {
        await().until(() -> proxy.sessions.sessions().size() == 1);
        return proxy.sessions.sessions().iterator().next();
    }

    private static void awaitEnd(ProxySession session, String source, String text) {
        await().untilAsserted(
                        () -> assertThat(session.ended()).startsWith(source).contains(text));
    }

    @Test
    void theReasonThatComesAfterTheSocketsEndIsTold() throws Exception {
        MySqlPeer client = client();
        ProxySession session = session();
        BackendGate.Visitor visitor = gate.next();
        visitor.admitted();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(MySqlPeer.query("SELECT 1"));
        backend.read();
        backend.socket.close();
        visitor.backendGone(REASON);

        assertThat(client.read().err().message())
                .isEqualTo("the backend closed the connection while COM_QUERY was in flight: " + REASON);
        assertThat(client.atEnd()).isTrue();
        awaitEnd(session, "BACKEND (BACKEND_CLOSED): ", REASON);
    }

    @Test
    void theReasonThatComesBeforeTheSocketsEndIsToldAfterTheLastWords() throws Exception {
        MySqlPeer client = client();
        ProxySession session = session();
        BackendGate.Visitor visitor = gate.next();
        visitor.admitted();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(Hex.join(MySqlPeer.ping(), MySqlPeer.query("SELECT 1")));
        backend.read();
        backend.read();
        visitor.backendGone(REASON);
        backend.ok(1);
        backend.socket.close();

        assertThat(client.read().first()).as("the answer that had been sent").isZero();
        assertThat(client.read().err().message()).endsWith(REASON);
        awaitEnd(session, "BACKEND (BACKEND_CLOSED): ", REASON);
    }

    @Test
    void theReasonIsToldToAClientThatIsDueToSpeakBeforeItsLogin() throws Exception {
        MySqlPeer client = client();
        ProxySession session = session();
        BackendGate.Visitor visitor = gate.next();
        visitor.admitted();
        MySqlPeer backend = backend();
        backend.greet();
        client.read();
        backend.socket.close();
        visitor.backendGone(REASON);
        client.respond();

        MySqlPeer.Packet packet = client.read();
        assertThat(packet.sequenceId()).isEqualTo(2);
        assertThat(packet.err().message()).contains(REASON);
        awaitEnd(session, "BACKEND (BACKEND_CLOSED): ", REASON);
    }

    @Test
    void theReasonIsToldWhenNothingListensAnyMore() throws Exception {
        MySqlPeer client = client();
        ProxySession session = session();
        BackendGate.Visitor visitor = gate.next();
        server.close();
        visitor.admitted();
        visitor.backendGone(REASON);

        // Refused before the gate spoke, or after.
        assertThat(client.read().err().message()).containsAnyOf(REASON, "cannot be reached");
        awaitEnd(session, "BACKEND (BACKEND_UNAVAILABLE): ", "");
        assertThat(proxy.sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void aBackendThatClosesWithoutAWordOfTheGateIsReportedAsItIs() throws Exception {
        MySqlPeer client = client();
        gate.next().admitted();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(MySqlPeer.query("SELECT 1"));
        backend.read();
        backend.socket.close();

        assertThat(client.read().err().message()).contains("while COM_QUERY was in flight: ");
    }

    @Test
    void aDrainEndsWhoIsIdleAndWaitsForTransactionsAndCommands() throws Exception {
        ProxyLifecycle lifecycle = new ProxyLifecycle(new Unbound(proxy.listener), proxy.sessions, threads);
        lifecycle.start();
        MySqlPeer idle = client();
        gate.next().admitted();
        MySqlPeer idleBackend = backend();
        idle.logIn(idleBackend);
        MySqlPeer busy = client();
        gate.next().admitted();
        MySqlPeer busyBackend = backend();
        busy.logIn(busyBackend);
        busy.send(MySqlPeer.query("BEGIN"));
        busyBackend.read();
        busyBackend.okInTransaction(1);
        busy.read();

        CompletableFuture<String> drain = lifecycle.drain(Duration.ofHours(1));
        assertThat(idle.read().err().code()).isEqualTo(1053);
        assertThat(idle.atEnd()).isTrue();
        assertThat(idleBackend.read().first()).as("COM_QUIT").isEqualTo(1);
        assertThat(drain).isNotDone();
        busy.send(MySqlPeer.query("COMMIT"));
        busyBackend.read();
        busyBackend.ok(1);
        assertThat(busy.read().first()).isZero();
        assertThat(busy.read().err().code()).isEqualTo(1053);
        assertThat(drain).succeedsWithin(Duration.ofSeconds(30)).isEqualTo("drained: 2 connections finished");
    }

    @Test
    void aDrainEndsTransactionsAtItsDeadline() throws Exception {
        ProxyLifecycle lifecycle = new ProxyLifecycle(new Unbound(proxy.listener), proxy.sessions, threads);
        lifecycle.start();
        MySqlPeer client = client();
        ProxySession session = session();
        gate.next().admitted();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(MySqlPeer.query("UPDATE t SET a = 1"));
        backend.read();

        CompletableFuture<String> drain = lifecycle.drain(Duration.ofMillis(50));
        MySqlPeer.Packet packet = client.read();
        assertThat(packet.sequenceId()).isEqualTo(1);
        assertThat(packet.err().code()).isEqualTo(1053);
        assertThat(packet.err().message()).isEqualTo("still open 50 ms after the proxy began to drain");
        assertThat(drain).succeedsWithin(Duration.ofSeconds(30)).asString().contains("1 were closed after 50 ms");
        assertThat(session.ended()).startsWith("PROXY (KILLED): ");
    }

    @Test
    void whoSurvivedADrainThatWasTakenBackGoesOn() throws Exception {
        ProxyLifecycle lifecycle = new ProxyLifecycle(new Unbound(proxy.listener), proxy.sessions, threads);
        lifecycle.start();
        MySqlPeer client = client();
        gate.next().admitted();
        MySqlPeer backend = backend();
        client.logIn(backend);
        client.send(MySqlPeer.ping());
        backend.read();
        MySqlPeer idle = client();
        gate.next().admitted();
        idle.logIn(backend());

        CompletableFuture<String> drain = lifecycle.drain(Duration.ofHours(1));
        // Both sessions have been told.
        assertThat(idle.read().err().code()).isEqualTo(1053);
        lifecycle.resume();
        assertThat(drain).succeedsWithin(Duration.ofSeconds(30)).asString().startsWith("ended by resume");
        // Its event loop has heard of it: this comes behind, and finds it busy.
        for (ProxySession session : proxy.sessions.sessions()) {
            assertThat(session.execute("DO 1")).succeedsWithin(Duration.ofSeconds(30));
        }
        for (int i = 0; i < 2; i++) {
            backend.ok(1);
            assertThat(client.read().first()).isZero();
            client.send(MySqlPeer.ping());
            backend.read();
        }
    }

    /** The proxy listens already: only its sessions matter here. */
    private record Unbound(Listener listener) implements Listener {
        @Override
        public void open() {}

        @Override
        public void accept(boolean accept) {}

        @Override
        public void close() {}

        @Override
        public HostPort address() {
            return listener.address();
        }
    }
}

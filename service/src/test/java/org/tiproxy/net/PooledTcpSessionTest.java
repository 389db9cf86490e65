package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
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
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.PoolStatistics;

/** When a backend connection goes back to the pool; the test itself is the clients and the backend. */
@Timeout(60)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class PooledTcpSessionTest {
    private static final Duration QUIET = Duration.ofMillis(200);

    @Parameter
    NetworkTransport transport;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Socket> sockets = new ArrayList<>();
    private ServerSocket backend;
    private SessionRegistry sessions;
    private ProxyListener proxy;
    private PoolControl pool;

    @BeforeEach
    void listen() throws Exception {
        backend = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(0, Duration.ZERO, config -> config);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        backend.close();
        proxy.shutdown();
        threads.shutdownNow();
    }

    private void start(int maxConnections, Duration idleTimeout, UnaryOperator<PoolConfig.Builder> pooling)
            throws Exception {
        if (proxy != null) {
            proxy.shutdown();
        }
        sessions = new SessionRegistry(maxConnections);
        proxy = new ProxyListener(
                new ProxyConfig(
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
                        Duration.ofSeconds(15)),
                new PoolingConfig(
                        PoolingConfig.Mode.TCP,
                        pooling.apply(PoolConfig.builder()
                                        .maxConnectionsPerAddress(4)
                                        .failFast(true))
                                .build(),
                        false,
                        null,
                        QUIET),
                HostPort.of((InetSocketAddress) backend.getLocalSocketAddress()),
                BackendGate.open(),
                sessions,
                Ticker.SYSTEM,
                threads,
                ProxyTls.none());
        proxy.open();
        pool = Objects.requireNonNull(proxy.sharedConnections()).control();
    }

    private Socket client() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), proxy.address().port());
        socket.setSoTimeout(30_000);
        sockets.add(socket);
        return socket;
    }

    private Socket accepted() throws IOException {
        Socket socket = backend.accept();
        socket.setSoTimeout(30_000);
        sockets.add(socket);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String receive(Socket socket, int length) throws IOException {
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
    }

    /** Who has been served on a new connection, and the backend's end of that. */
    private record Visit(Socket client, Socket server) {}

    private Visit firstVisit() throws IOException {
        Socket client = client();
        send(client, "one");
        Socket server = accepted();
        assertThat(receive(server, 3)).isEqualTo("one");
        send(server, "1");
        assertThat(receive(client, 1)).isEqualTo("1");
        return new Visit(client, server);
    }

    private void exchange(Socket client, Socket server, String question, String answer) throws IOException {
        send(client, question);
        assertThat(receive(server, question.length())).isEqualTo(question);
        send(server, answer);
        assertThat(receive(client, answer.length())).isEqualTo(answer);
    }

    private PoolStatistics awaitIdle(int idle) {
        await().untilAsserted(() -> {
            assertThat(pool.statistics().idle()).isEqualTo(idle);
            assertThat(pool.statistics().total()).isEqualTo(idle);
            assertThat(sessions.sessions()).isEmpty();
        });
        return pool.statistics();
    }

    @Test
    void theNextClientUsesTheConnectionOfTheOneThatHasLeft() throws Exception {
        Visit visit = firstVisit();
        Socket first = visit.client;
        Socket server = visit.server;
        first.close();
        awaitIdle(1);

        Socket second = client();
        exchange(second, server, "two", "2");
        second.close();

        PoolStatistics numbers = awaitIdle(1);
        assertThat(numbers.createdTotal()).isEqualTo(1);
        assertThat(numbers.reusedTotal()).isEqualTo(1);
        assertThat(proxy.sharedConnections().mode()).isEqualTo("tcp");
    }

    @Test
    void aClientThatSaysNothingNeedsNoConnection() throws Exception {
        Socket silent = client();
        await().untilAsserted(() -> assertThat(sessions.sessions()).hasSize(1));
        silent.close();
        assertThat(awaitIdle(0).createdTotal()).isZero();
    }

    @Test
    void aClientThatEndsItsOutputGetsAnAnswerThatTakesLongerThanTheQuietTime() throws Exception {
        Socket client = client();
        send(client, "question");
        client.shutdownOutput();
        Socket server = accepted();

        // Nothing is answered, so the end is passed on at last, as without a pool.
        assertThat(server.getInputStream().readAllBytes()).hasSize(8);
        send(server, "late answer");
        server.close();

        assertThat(client.getInputStream().readAllBytes()).asString().isEqualTo("late answer");
        assertThat(awaitIdle(0).acquiredTotal()).isEqualTo(1);
    }

    @Test
    void anAnswerThatGoesOnAfterTheClientsEndIsDeliveredToIt() throws Exception {
        Socket client = client();
        send(client, "question");
        Socket server = accepted();
        receive(server, 8);
        client.shutdownOutput();
        send(server, "ans");
        assertThat(receive(client, 3)).isEqualTo("ans");
        send(server, "wer");

        assertThat(client.getInputStream().readAllBytes()).asString().isEqualTo("wer");
        awaitIdle(1);
    }

    @Test
    void aQuestionWithoutAnyAnswerCostsTheConnection() throws Exception {
        Visit visit = firstVisit();
        Socket client = visit.client;
        Socket server = visit.server;
        send(client, "half of tw");
        receive(server, 10);
        client.close();

        assertThat(server.getInputStream().read()).isEqualTo(-1);
        server.close();
        assertThat(awaitIdle(0).brokenTotal()).isZero();
    }

    @Test
    void aClientThatIsResetCostsTheConnection() throws Exception {
        Visit visit = firstVisit();
        Socket client = visit.client;
        Socket server = visit.server;
        client.setSoLinger(true, 0);
        client.close();

        assertEnds(server);
        awaitIdle(0);
    }

    @Test
    void aClientThatVanishesInTheMiddleOfAnAnswerCostsTheConnection() throws Exception {
        Socket client = client();
        send(client, "one");
        Socket server = accepted();
        receive(server, 3);
        threads.execute(() -> {
            try {
                server.getOutputStream().write(new byte[50_000_000]);
            } catch (IOException e) {
                // The connection was closed, as it should be.
            }
        });
        receive(client, 100_000);
        client.close();

        assertEnds(server);
        awaitIdle(0);
    }

    private static void assertEnds(Socket server) throws IOException {
        try {
            assertThat(server.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    @Test
    void aBackendThatPausesForLongerThanTheQuietTimeIsNotReused() throws Exception {
        Visit visit = firstVisit();
        Socket client = visit.client;
        Socket server = visit.server;
        await().pollDelay(QUIET.multipliedBy(2)).until(() -> true);
        send(server, "and 2");
        receive(client, 5);
        client.close();

        assertThat(server.getInputStream().read()).isEqualTo(-1);
        server.close();
        awaitIdle(0);
    }

    @Test
    void bytesThatComeTooLateCondemnTheConnectionAndReachNobody() throws Exception {
        Visit visit = firstVisit();
        Socket first = visit.client;
        Socket server = visit.server;
        first.close();
        awaitIdle(1);
        // It has connected, but not spoken: no connection is its own yet.
        Socket second = client();
        await().untilAsserted(() -> assertThat(sessions.sessions()).hasSize(1));
        send(server, "the rest of 1");
        await().untilAsserted(() -> assertThat(pool.statistics().total()).isZero());

        send(second, "two");
        Socket other = accepted();
        assertThat(receive(other, 3)).isEqualTo("two");
        send(other, "2");
        second.shutdownOutput();
        assertThat(second.getInputStream().readAllBytes()).asString().isEqualTo("2");
        assertThat(awaitIdle(1).brokenTotal()).isEqualTo(1);
    }

    @Test
    void aConnectionThatTheBackendHasEndedIsNotLent() throws Exception {
        Visit visit = firstVisit();
        Socket first = visit.client;
        Socket server = visit.server;
        first.close();
        awaitIdle(1);
        server.close();
        awaitIdle(0);

        Socket second = client();
        send(second, "two");
        assertThat(receive(accepted(), 3)).isEqualTo("two");
    }

    @Test
    void aBackendsEndIsPassedOn() throws Exception {
        Socket client = client();
        send(client, "one");
        Socket server = accepted();
        receive(server, 3);
        send(server, "1");
        server.shutdownOutput();
        assertThat(client.getInputStream().readAllBytes()).asString().isEqualTo("1");
        client.close();
        assertThat(server.getInputStream().read()).isEqualTo(-1);
        assertThat(awaitIdle(0).brokenTotal()).isZero();
    }

    @Test
    void aWaitingClientGetsTheConnectionOfTheOneThatLeaves() throws Exception {
        start(0, Duration.ZERO, config -> config.maxConnectionsPerAddress(1));
        Visit visit = firstVisit();
        Socket first = visit.client;
        Socket server = visit.server;
        Socket second = client();
        send(second, "two");
        await().untilAsserted(() -> assertThat(pool.statistics().pending()).isEqualTo(1));
        first.close();

        assertThat(receive(server, 3)).isEqualTo("two");
        send(server, "2");
        assertThat(receive(second, 1)).isEqualTo("2");
    }

    @Test
    void aClientThatGetsNoConnectionInTimeIsReset() throws Exception {
        start(0, Duration.ZERO, config -> config.maxConnectionsPerAddress(1).acquireTimeout(Duration.ofMillis(100)));
        Socket first = client();
        send(first, "one");
        accepted();
        Socket second = client();
        send(second, "two");
        assertThatThrownBy(() -> receive(second, 1)).isInstanceOf(SocketException.class);
        assertThat(pool.statistics().timeoutsTotal()).isEqualTo(1);
        assertThat(sessions.failedTotal()).isEqualTo(1);
    }

    @Test
    void clientsThatLeaveMakeRoomForOthers() throws Exception {
        start(1, Duration.ZERO, config -> config);
        Visit visit = firstVisit();
        Socket first = visit.client;
        Socket server = visit.server;
        // While it is there nobody else is served.
        assertThatThrownBy(() -> receive(client(), 1)).isInstanceOf(SocketException.class);
        first.close();
        awaitIdle(1);
        exchange(client(), server, "two", "2");
    }

    @Test
    void theConnectionOfAClientThatIsIdleTooLongIsKept() throws Exception {
        start(0, QUIET.multipliedBy(3), config -> config);
        Socket first = client();
        send(first, "one");
        Socket server = accepted();
        receive(server, 3);
        send(server, "1");
        assertThat(first.getInputStream().readAllBytes()).asString().isEqualTo("1");
        awaitIdle(1);
        exchange(client(), server, "two", "2");
    }

    @Test
    void minIdleConnectionsAreThereBeforeTheFirstClient() throws Exception {
        start(0, Duration.ZERO, config -> config.minIdle(2));
        accepted();
        accepted();
        awaitIdle(2);
    }

    @Test
    void connectionsAreClosedWhenTheBackendStopsAndOpenedWhenItStarts() throws Exception {
        start(0, Duration.ZERO, config -> config.minIdle(1));
        Socket server = accepted();
        awaitIdle(1);
        proxy.backendRuns(false);
        assertThat(server.getInputStream().read()).isEqualTo(-1);
        awaitIdle(0);
        proxy.backendRuns(true);
        accepted();
        awaitIdle(1);
    }

    @Test
    void nobodyCanEvictTheConnectionsOfAUser() {
        SharedConnections shared = Objects.requireNonNull(proxy.sharedConnections());
        assertThatThrownBy(() -> shared.evictUser("a")).hasMessageContaining("evictIdle");
    }
}

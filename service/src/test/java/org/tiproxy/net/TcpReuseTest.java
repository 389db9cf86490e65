package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.PoolStatistics;

/** Many clients over a few connections in raw TCP mode. */
@Timeout(120)
@ParameterizedClass
@EnumSource(
        value = NetworkTransport.class,
        names = {"EPOLL", "NIO"})
class TcpReuseTest {
    @Parameter
    NetworkTransport transport;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SessionRegistry sessions = new SessionRegistry(0);
    private ProxyListener proxy;
    private PoolControl pool;

    @AfterEach
    void close() {
        proxy.shutdown();
        threads.shutdownNow();
    }

    private void start(InetSocketAddress backend, int connections, Duration quietTime) throws Exception {
        proxy = new ProxyListener(
                new ProxyConfig(
                        new HostPort("127.0.0.1", 0),
                        ProxyConfig.Protocol.TCP,
                        0,
                        Duration.ZERO,
                        true,
                        Duration.ofSeconds(5),
                        2,
                        128,
                        transport,
                        Duration.ZERO,
                        Duration.ofSeconds(15)),
                new PoolingConfig(
                        PoolingConfig.Mode.TCP,
                        PoolConfig.builder()
                                .maxConnectionsPerAddress(connections)
                                .failFast(true)
                                .build(),
                        false,
                        null,
                        quietTime),
                HostPort.of(backend),
                BackendGate.open(),
                sessions,
                Ticker.SYSTEM,
                threads,
                ProxyTls.none());
        proxy.open();
        pool = Objects.requireNonNull(proxy.sharedConnections()).control();
    }

    private Socket connect() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), proxy.address().port());
        socket.setSoTimeout(30_000);
        socket.setTcpNoDelay(true);
        return socket;
    }

    @Test
    void aThousandShortHttpClientsShareAHandfulOfConnections() throws Exception {
        Set<InetSocketAddress> peers = ConcurrentHashMap.newKeySet();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            peers.add(exchange.getRemoteAddress());
            byte[] body = ("you asked for " + exchange.getRequestURI()).getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
        server.start();
        try {
            // The JDK's server sends an answer in two pieces, 40 ms apart.
            start(server.getAddress(), 8, Duration.ofMillis(100));
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int thread = i;
                clients.add(threads.submit(() -> {
                    for (int j = 0; j < 125; j++) {
                        ask("/client/" + thread + "/" + j, 1 + j % 3);
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        } finally {
            server.stop(0);
        }
        await().untilAsserted(() -> assertThat(pool.statistics().active()).isZero());
        PoolStatistics numbers = pool.statistics();
        assertThat(numbers.acquiredTotal()).isEqualTo(1000);
        assertThat(peers).hasSize((int) numbers.createdTotal());
        // Eight, and another one for each whose answer has paused for longer than the quiet time.
        assertThat(numbers.createdTotal()).isLessThan(100);
    }

    /** A client that asks a few times over its connection and leaves. */
    private void ask(String path, int times) throws IOException {
        try (Socket socket = connect()) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            for (int i = 0; i < times; i++) {
                String what = path + "?" + i;
                socket.getOutputStream()
                        .write(("GET " + what + " HTTP/1.1\r\nHost: test\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
                assertThat(in.readLine()).isEqualTo("HTTP/1.1 200 OK");
                int length = -1;
                for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
                    if (line.startsWith("Content-length: ")) {
                        length = Integer.parseInt(line.substring(16));
                    }
                }
                char[] body = new char[length];
                for (int read = 0; read < length; ) {
                    int now = in.read(body, read, length - read);
                    assertThat(now).isPositive();
                    read += now;
                }
                assertThat(new String(body)).isEqualTo("you asked for " + what);
            }
        }
    }

    /**
     * Clients that leave at any moment, over a server whose answers come in pieces. Every piece of an answer, and
     * everything the server reads, carries the client's number.
     */
    @Test
    void nothingOfOneClientReachesAnotherWheneverClientsVanish() throws Exception {
        int rounds = 40;
        int atOnce = 12;
        AtomicInteger mixed = new AtomicInteger();
        AtomicInteger complete = new AtomicInteger();
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            threads.execute(() -> {
                while (!server.isClosed()) {
                    try {
                        Socket socket = server.accept();
                        threads.execute(() -> answer(socket, mixed));
                    } catch (IOException e) {
                        return;
                    }
                }
            });
            start((InetSocketAddress) server.getLocalSocketAddress(), atOnce, Duration.ofMillis(100));
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < atOnce; i++) {
                Random random = new Random(i);
                int first = i * rounds;
                clients.add(threads.submit(() -> {
                    for (int round = 0; round < rounds; round++) {
                        visit(String.format("%05d", first + round), random, mixed, complete);
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        }
        assertThat(mixed).hasValue(0);
        assertThat(complete).hasPositiveValue();
        assertThat(pool.statistics().reusedTotal()).isPositive();
    }

    /** Requests are {@code <number> <pieces>\n}; the answer is as many pieces, each the number. */
    private static void answer(Socket socket, AtomicInteger mixed) {
        try (socket) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (String line = readLine(in); line != null; line = readLine(in)) {
                if (!line.matches("\\d{5} \\d{1,2}")) {
                    mixed.incrementAndGet();
                    return;
                }
                byte[] piece = (line.substring(0, 5) + "\n").getBytes(StandardCharsets.US_ASCII);
                int pieces = Integer.parseInt(line.substring(6));
                for (int i = 0; i < pieces; i++) {
                    socket.getOutputStream().write(piece);
                    if (i % 4 == 3) {
                        // Never near the quiet time, which an answer must not pause for.
                        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(300));
                    }
                }
            }
        } catch (IOException e) {
            // The connection was closed in the middle of an answer.
        }
    }

    /** Null at the end, though something stood before it: that was half a request, and must stay alone. */
    private static @Nullable String readLine(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return line.toString();
            }
            line.append((char) next);
        }
        return null;
    }

    private void visit(String number, Random random, AtomicInteger mixed, AtomicInteger complete) throws IOException {
        Socket socket = connect();
        try {
            int requests = 1 + random.nextInt(3);
            for (int i = 0; i < requests; i++) {
                int pieces = 1 + random.nextInt(60);
                boolean leaves = random.nextInt(3) == 0;
                String request = number + " " + pieces + "\n";
                int sent = leaves && random.nextInt(4) == 0 ? random.nextInt(request.length()) : request.length();
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII), 0, sent);
                if (leaves && random.nextInt(3) == 0) {
                    socket.shutdownOutput();
                }
                int wanted = leaves ? random.nextInt(pieces) : pieces;
                for (int j = 0; j < wanted && sent == request.length(); j++) {
                    String piece = new String(socket.getInputStream().readNBytes(6), StandardCharsets.US_ASCII);
                    if (!piece.equals(number + "\n")) {
                        mixed.incrementAndGet();
                        return;
                    }
                }
                if (leaves) {
                    if (random.nextBoolean()) {
                        socket.setSoLinger(true, 0);
                    }
                    return;
                }
            }
            complete.incrementAndGet();
        } finally {
            socket.close();
        }
    }
}

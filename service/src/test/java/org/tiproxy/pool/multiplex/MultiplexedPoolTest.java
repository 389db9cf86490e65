package org.tiproxy.pool.multiplex;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.StaticAddresses;
import org.tiproxy.pool.TimerThread;

@Timeout(60)
class MultiplexedPoolTest {
    /** Echoes frames, a few at a time and in reverse order; says nothing to requests that begin with "hush". */
    private static final class Server implements AutoCloseable {
        final ServerSocket socket;
        final Queue<Socket> accepted = new ConcurrentLinkedQueue<>();

        Server(int port) throws IOException {
            socket = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
            start(this::acceptAll);
        }

        private void acceptAll() {
            try {
                while (true) {
                    Socket peer = socket.accept();
                    accepted.add(peer);
                    if (socket.isClosed()) {
                        // Accepted in the moment of the close.
                        peer.close();
                    }
                    start(() -> serve(peer));
                }
            } catch (IOException e) {
                // The test is over.
            }
        }

        private void serve(Socket peer) {
            try {
                DataInputStream in = new DataInputStream(peer.getInputStream());
                DataOutputStream out = new DataOutputStream(peer.getOutputStream());
                List<byte[]> batch = new ArrayList<>();
                while (true) {
                    byte[] frame = new byte[in.readInt()];
                    in.readFully(frame);
                    if (!new String(frame, 8, frame.length - 8, StandardCharsets.UTF_8).startsWith("hush")) {
                        batch.add(frame);
                    }
                    if (in.available() == 0 || batch.size() == 5) {
                        Collections.reverse(batch);
                        for (byte[] answer : batch) {
                            out.writeInt(answer.length);
                            out.write(answer);
                        }
                        batch.clear();
                    }
                }
            } catch (IOException e) {
                // Closed by either side.
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
            for (Socket peer : accepted) {
                peer.close();
            }
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }

    private final SelectorLoop loop = new SelectorLoop();
    private final TimerThread timer = new TimerThread("multiplex-test");
    private Server server;
    private MultiplexedPool pool;

    @BeforeEach
    void open() throws IOException {
        server = new Server(0);
        pool = MultiplexedPool.create(
                loop,
                new TestCodec(),
                StaticAddresses.of(new HostPort("127.0.0.1", server.socket.getLocalPort())),
                new MultiplexedPool.Config(4, Duration.ofSeconds(20), Duration.ofSeconds(20)),
                timer);
    }

    @AfterEach
    void close() throws IOException {
        pool.close();
        loop.close();
        timer.close();
        server.close();
    }

    private CompletableFuture<ByteBuffer> ask(String text) {
        return pool.request(id -> TestCodec.frame(id, text));
    }

    @Test
    void manyCallersShareFewConnections() throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(16);
        List<Future<?>> results = new ArrayList<>();
        for (int caller = 0; caller < 100; caller++) {
            String name = "caller " + caller + " ".repeat(caller * 10);
            results.add(callers.submit(() -> {
                for (int i = 0; i < 100; i++) {
                    assertThat(TestCodec.text(ask(name + i).get(30, SECONDS))).isEqualTo(name + i);
                }
                return null;
            }));
        }
        for (Future<?> result : results) {
            result.get(50, SECONDS);
        }
        callers.shutdown();
        assertThat(pool.connections()).isBetween(1, 4);
        MultiplexedStatistics statistics = pool.statistics();
        assertThat(statistics.requestsTotal()).isEqualTo(10_000);
        assertThat(statistics.createdTotal()).isEqualTo(server.accepted.size());
        assertThat(statistics.connections()).isEqualTo(pool.connections());
        assertThat(statistics.waiting() + statistics.connecting() + statistics.inFlight())
                .isZero();
        assertThat(statistics.lastFailure()).isNull();
        assertThat(server.accepted.size()).isLessThanOrEqualTo(4);
        assertThat(pool.inFlight()).isZero();
    }

    @Test
    void bulkDataThatDoesNotFitTheSocketArrivesInOrder() throws Exception {
        List<CompletableFuture<ByteBuffer>> answers = new ArrayList<>();
        String bulk = "b".repeat(1 << 20);
        for (int i = 0; i < 20; i++) {
            answers.add(ask(bulk + i));
        }
        for (int i = 0; i < 20; i++) {
            assertThat(TestCodec.text(answers.get(i).get(30, SECONDS))).endsWith("b" + i);
        }
    }

    @Test
    void nothingHangsWhenTheServerGoesAndThePoolFindsTheNextOne() throws Exception {
        ask("hello").get(20, SECONDS);
        List<CompletableFuture<ByteBuffer>> inFlight = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            inFlight.add(ask("hush"));
        }
        int port = server.socket.getLocalPort();
        server.close();
        for (CompletableFuture<ByteBuffer> one : inFlight) {
            assertThatThrownBy(() -> one.get(20, SECONDS)).hasRootCauseInstanceOf(IOException.class);
        }
        await().until(() -> pool.connections() == 0);
        assertThatThrownBy(() -> ask("nobody there").get(20, SECONDS))
                .hasMessageContaining("no connection to 127.0.0.1:" + port);
        assertThat(pool.statistics().lostTotal()).isPositive();
        assertThat(pool.statistics().connectFailuresTotal()).isPositive();
        assertThat(pool.statistics().lastFailure()).isNotEmpty();
        server = new Server(port);
        await().until(() -> !ask("back").handle((a, failure) -> failure != null).get(20, SECONDS));
    }

    @Test
    void aRequestThatIsNotAnsweredTimesOut() {
        CompletableFuture<ByteBuffer> answer = pool.request(id -> TestCodec.frame(id, "hush"), Duration.ofMillis(50));
        assertThatThrownBy(() -> answer.get(20, SECONDS)).hasMessageContaining("no answer from 127.0.0.1:");
    }

    @Test
    void theCloseFailsWhatIsInFlight() throws Exception {
        ask("hello").get(20, SECONDS);
        CompletableFuture<ByteBuffer> answer = ask("hush");
        pool.close();
        assertThatThrownBy(() -> answer.get(20, SECONDS)).hasMessageContaining("was closed");
        assertThatThrownBy(() -> ask("late").get(20, SECONDS)).hasMessageContaining("the pool is closed");
    }
}

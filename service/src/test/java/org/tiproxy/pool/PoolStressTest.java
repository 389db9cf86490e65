package org.tiproxy.pool;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.common.HostPort;

/** Real threads: what the simulation cannot show is what happens between two lines of code. */
@Timeout(120)
class PoolStressTest {
    private static final HostPort A = new HostPort("127.0.0.1", 1);
    private static final HostPort B = new HostPort("127.0.0.1", 2);

    /** A connection that notices two users at once. */
    private static final class Connection {
        final String key;
        final AtomicBoolean used = new AtomicBoolean();
        final AtomicBoolean open = new AtomicBoolean(true);

        Connection(String key) {
            this.key = key;
        }
    }

    private static final class Backend implements KeyedConnectionFactory<String, Connection> {
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger mostOpen = new AtomicInteger();
        final ExecutorService late = Executors.newFixedThreadPool(2);
        final int failOneIn;

        Backend(int failOneIn) {
            this.failOneIn = failOneIn;
        }

        @Override
        public CompletableFuture<Connection> connect(String key, HostPort address, Duration timeout) {
            CompletableFuture<Connection> future = new CompletableFuture<>();
            int dice = ThreadLocalRandom.current().nextInt(failOneIn);
            if (dice == 0) {
                future.completeExceptionally(new IOException("refused"));
            } else if (dice % 2 == 0) {
                late.execute(() -> open(key, future));
            } else {
                open(key, future);
            }
            return future;
        }

        private void open(String key, CompletableFuture<Connection> future) {
            mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
            Connection connection = new Connection(key);
            if (!future.complete(connection)) {
                close(connection);
            }
        }

        @Override
        public CompletableFuture<Boolean> probe(Connection connection, Duration timeout) {
            return CompletableFuture.completedFuture(ThreadLocalRandom.current().nextInt(20) > 0);
        }

        @Override
        public void close(Connection connection) {
            assertThat(connection.used).isFalse();
            assertThat(connection.open.getAndSet(false)).as("closed once").isTrue();
            open.decrementAndGet();
        }
    }

    private final List<AutoCloseable> toClose = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : toClose) {
            one.close();
        }
    }

    private KeyedPool<String, Connection> pool(Backend backend, PoolConfig config, AddressSource addresses) {
        TimerThread timer = new TimerThread("stress-timer");
        KeyedPool<String, Connection> pool =
                KeyedPool.create(backend, addresses, config, "key0", System::nanoTime, timer);
        toClose.add(pool);
        toClose.add(timer);
        toClose.add(backend.late::shutdownNow);
        return pool;
    }

    private static void use(Lease<Connection> lease, String key) {
        Connection connection = lease.connection();
        assertThat(connection.used.getAndSet(true)).as("lent twice").isFalse();
        assertThat(connection.open).isTrue();
        assertThat(connection.key).isEqualTo(key);
        if (ThreadLocalRandom.current().nextInt(8) == 0) {
            LockSupport.parkNanos(1_000);
        }
        connection.used.set(false);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "4, 1, 1", "32, 1, 1", "4, 3, 1", "3, 2, 2"})
    void manyThreadsShareFewConnections(int size, int keys, int addresses) throws Exception {
        Backend backend = new Backend(50);
        StaticAddresses source = addresses == 1 ? StaticAddresses.of(A) : StaticAddresses.of(A, B);
        KeyedPool<String, Connection> pool = pool(
                backend,
                PoolConfig.builder()
                        .maxConnectionsPerAddress(size)
                        .acquireTimeout(Duration.ofSeconds(60))
                        .minBackoff(Duration.ofMillis(1))
                        .maxBackoff(Duration.ofMillis(2))
                        .build(),
                source);
        int threads = 8;
        ExecutorService callers = Executors.newFixedThreadPool(threads);
        toClose.add(callers::shutdownNow);
        List<Future<?>> results = new ArrayList<>();
        AtomicInteger interrupted = new AtomicInteger();
        for (int t = 0; t < threads; t++) {
            int seed = t;
            results.add(callers.submit(() -> {
                Random random = new Random(seed);
                for (int i = 0; i < 5_000; i++) {
                    String key = "key" + random.nextInt(keys);
                    switch (random.nextInt(20)) {
                        case 0 -> {
                            CompletableFuture<Lease<Connection>> future = pool.acquireAsync(key);
                            if (!future.cancel(false)) {
                                future.whenComplete((lease, failure) -> {
                                    if (lease != null) {
                                        lease.release();
                                    }
                                });
                            }
                        }
                        case 1 -> {
                            Thread.currentThread().interrupt();
                            try (Lease<Connection> lease = pool.acquire(key)) {
                                use(lease, key);
                            } catch (InterruptedException e) {
                                interrupted.incrementAndGet();
                            }
                            // The short way does not look at the flag.
                            Thread.interrupted();
                        }
                        case 2 ->
                            pool.acquireAsync(key, Duration.ofNanos(random.nextInt(100_000)))
                                    .whenComplete((lease, failure) -> {
                                        if (lease != null) {
                                            use(lease, key);
                                            lease.release();
                                        }
                                    });
                        case 3 -> {
                            Lease<Connection> lease = pool.acquire(key);
                            use(lease, key);
                            lease.releaseBroken("by chance");
                        }
                        default -> {
                            try (Lease<Connection> lease = pool.acquire(key)) {
                                use(lease, key);
                            }
                        }
                    }
                    if (i % 1000 == 999) {
                        pool.control().evictIdle();
                    }
                }
                return null;
            }));
        }
        for (Future<?> result : results) {
            result.get(110, SECONDS);
        }
        assertThat(interrupted).hasPositiveValue();
        assertThat(backend.mostOpen.get()).isLessThanOrEqualTo(size * addresses);
        pool.close();
        pool.closed().get(20, SECONDS);
        assertThat(backend.open).hasValue(0);
        assertThat(pool.control().statistics().pending()).isZero();
    }

    @Test
    void aThreadThatIsInterruptedWhileItWaitsLosesNothing() throws Exception {
        Backend backend = new Backend(Integer.MAX_VALUE);
        KeyedPool<String, Connection> pool =
                pool(backend, PoolConfig.builder().maxConnectionsPerAddress(1).build(), StaticAddresses.of(A));
        Lease<Connection> held = pool.acquire("k");
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread waiter = new Thread(() -> {
            try {
                pool.acquire("k").release();
                thrown.complete(null);
            } catch (InterruptedException e) {
                thrown.complete(e);
            }
        });
        waiter.start();
        await().until(() -> pool.control().statistics().pending() == 1);
        waiter.interrupt();
        assertThat(thrown.get(20, SECONDS)).isInstanceOf(InterruptedException.class);
        assertThat(pool.control().statistics().pending()).isZero();
        held.release();
        pool.acquire("k").release();
    }

    @Test
    void theStackOfATimeOutIsTheCallers() throws Exception {
        Backend backend = new Backend(Integer.MAX_VALUE);
        KeyedPool<String, Connection> pool =
                pool(backend, PoolConfig.builder().maxConnectionsPerAddress(1).build(), StaticAddresses.of(A));
        Lease<Connection> held = pool.acquire("k");
        assertThatThrownBy(() -> pool.acquire("k", Duration.ofMillis(20)))
                .isInstanceOf(AcquireException.class)
                .hasStackTraceContaining("theStackOfATimeOutIsTheCallers")
                .hasMessageContaining("within 20 ms (total 1 of 1, active 1, idle 0, waiting 1");
        assertThatThrownBy(() -> pool.acquire("k", Duration.ZERO)).isInstanceOf(AcquireException.class);
        held.release();
    }

    @Test
    void tenThousandVirtualThreadsShareFourConnections() throws Exception {
        ExecutorService virtual;
        try {
            virtual = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException e) {
            Assumptions.abort("no virtual threads before Java 21");
            return;
        }
        toClose.add(virtual::shutdownNow);
        Backend backend = new Backend(Integer.MAX_VALUE);
        KeyedPool<String, Connection> pool = pool(
                backend,
                PoolConfig.builder()
                        .maxConnectionsPerAddress(4)
                        .acquireTimeout(Duration.ofSeconds(60))
                        .build(),
                StaticAddresses.of(A));
        List<Future<?>> results = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            results.add(virtual.submit(() -> {
                for (int round = 0; round < 5; round++) {
                    try (Lease<Connection> lease = pool.acquire("k")) {
                        use(lease, "k");
                    }
                }
                return null;
            }));
        }
        for (Future<?> result : results) {
            result.get(100, SECONDS);
        }
        assertThat(pool.control().statistics().acquiredTotal()).isEqualTo(50_000);
        assertThat(backend.mostOpen.get()).isLessThanOrEqualTo(4);
    }
}

package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.Secret;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.PoolKey;

class InProcessPoolTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final PoolConfig CONFIG = PoolConfig.builder()
            .connectTimeout(LONG)
            .probeTimeout(LONG)
            .keepAlive(Duration.ZERO)
            .idleTimeout(Duration.ZERO)
            .maxLifetime(Duration.ZERO)
            .build();
    private static final BackendRequest REQUEST = new BackendRequest(
            new PoolKey("app", 0, 45), "", BackendCredentials.ofPassword("app", new Secret("secret")), false);

    private final AtomicLong now = new AtomicLong();
    private final Queue<Runnable> scheduled = new ConcurrentLinkedQueue<>();

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
        for (int due = scheduled.size(); due > 0; due--) {
            scheduled.remove().run();
        }
    }

    private static Lease<BackendConnection> connected(InProcessPool pool) throws IOException {
        Lease<BackendConnection> lease =
                pool.acquire(REQUEST, BackendTls.DISABLED, LONG).join();
        lease.connection().connect(LONG);
        return lease;
    }

    @Test
    void whoGivesBackABrokenConnectionDoesNotWaitForTheProbesOfTheOthers() throws Exception {
        try (SilentServer server = new SilentServer()) {
            InProcessPool pool = new InProcessPool(
                    "test", List.of(server.address()), CONFIG, now::get, (task, delay) -> scheduled.add(task));
            List<Lease<BackendConnection>> leases = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                leases.add(connected(pool));
            }
            Lease<BackendConnection> broken = leases.remove(0);
            leases.forEach(Lease::release);

            CompletableFuture.runAsync(() -> broken.releaseBroken("a test")).get(20, TimeUnit.SECONDS);

            await("pings").until(() -> server.bytesRead() == 3 * 5);
            assertThat(pool.control().occupancy().idle()).isZero();
            assertThat(BackgroundThreads.busy()).isEqualTo(3);

            // The pool gives the probes up, and nobody waits for an answer any more.
            pass(LONG);
            await("closed connections").until(() -> server.closed() == 4);
            await("free threads").until(() -> BackgroundThreads.busy() == 0);
            assertThat(pool.control().statistics().total()).isZero();
            pool.close();
        }
    }
}

package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.common.HostPort;

/** Waits that have an end although their socket has no time-out. */
class WaitLimitsTest {
    private static final HostPort NOWHERE = new HostPort("127.0.0.1", 1);

    private final Deque<Runnable> scheduled = new ArrayDeque<>();
    private final WaitLimits limits = new WaitLimits((task, delay) -> scheduled.add(task));

    private static BackendConnection connection(HostPort address, WaitLimits limits) {
        return new BackendConnection(address, BackendTls.DISABLED, limits);
    }

    @Test
    void aWaitWhoseDeadlineIsOverIsEnded() {
        BackendConnection late = connection(NOWHERE, limits);
        BackendConnection patient = connection(NOWHERE, limits);
        long now = System.nanoTime();
        limits.begin(late, now);
        limits.begin(patient, now + TimeUnit.HOURS.toNanos(1));
        assertThat(scheduled).hasSize(1);
        scheduled.remove().run();
        assertThat(limits.end(late)).isFalse();
        assertThat(limits.end(patient)).isTrue();
    }

    @Test
    void nobodyLooksWhileNobodyWaits() {
        BackendConnection connection = connection(NOWHERE, limits);
        long later = System.nanoTime() + TimeUnit.HOURS.toNanos(1);
        assertThat(scheduled).isEmpty();
        limits.begin(connection, later);
        scheduled.remove().run();
        assertThat(scheduled).as("still waiting").hasSize(1);
        assertThat(limits.end(connection)).isTrue();
        scheduled.remove().run();
        assertThat(scheduled).isEmpty();
        limits.begin(connection, later);
        assertThat(scheduled).hasSize(1);
    }

    @Test
    @Timeout(60)
    void aBackendThatSaysNothingIsGivenUpWithTheNumbers() throws Exception {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        try (ServerSocket silent = new ServerSocket(0)) {
            HostPort address = new HostPort("127.0.0.1", silent.getLocalPort());
            BackendConnection connection = connection(
                    address, new WaitLimits((task, delay) -> clock.schedule(task, delay, TimeUnit.NANOSECONDS)));
            assertThatThrownBy(() -> connection.connect(Duration.ofMillis(200)))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining(address + " has not answered for ")
                    .hasMessageContaining(" ms (limits: pool.connect-timeout");
            assertThat(connection.isAlive()).isFalse();
        } finally {
            clock.shutdownNow();
        }
    }

    /** A listener whose queue is full answers no SYN: connecting itself takes for ever. */
    @Test
    @Timeout(60)
    void aConnectThatIsNotAnsweredIsGivenUp() throws Exception {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        try (ServerSocket full = new ServerSocket(0, 1)) {
            HostPort address = new HostPort("127.0.0.1", full.getLocalPort());
            WaitLimits real = new WaitLimits((task, delay) -> clock.schedule(task, delay, TimeUnit.NANOSECONDS));
            for (int i = 0; i < 10; i++) {
                // The first ones are not greeted, the others not even connected.
                assertThatThrownBy(() -> connection(address, real).connect(Duration.ofMillis(60)))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining("has not answered for ");
            }
        } finally {
            clock.shutdownNow();
        }
    }
}

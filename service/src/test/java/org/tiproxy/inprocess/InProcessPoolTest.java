package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.PoolKey;

class InProcessPoolTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final PoolConfig CONFIG = PoolConfig.builder()
            .maxConnectionsPerAddress(100)
            .connectTimeout(LONG)
            .probeTimeout(LONG)
            .minBackoff(Duration.ofMillis(50))
            .maxBackoff(Duration.ofSeconds(1))
            .keepAlive(Duration.ZERO)
            .idleTimeout(Duration.ZERO)
            .maxLifetime(Duration.ZERO)
            .build();
    private static final BackendRequest REQUEST = new BackendRequest(
            new PoolKey("app", 0, 45), "", BackendCredentials.ofPassword("app", new Secret("secret")), false);

    private static final DriverLogin LOGIN = login("secret");

    private final AtomicLong now = new AtomicLong();
    private final Queue<Runnable> scheduled = new ConcurrentLinkedQueue<>();

    private static DriverLogin login(String password) {
        return new DriverLogin(
                new HostPort("127.0.0.1", 1), "app", new Secret(password), BackendTls.DISABLED, Duration.ZERO);
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
        for (int due = scheduled.size(); due > 0; due--) {
            scheduled.remove().run();
        }
    }

    private InProcessPool pool(HostPort... addresses) {
        return new InProcessPool("test", List.of(addresses), CONFIG, now::get, (task, delay) -> scheduled.add(task));
    }

    private static HostPort lend(InProcessPool pool) throws Exception {
        return pool.acquire(REQUEST, BackendTls.DISABLED, LONG)
                .get(20, TimeUnit.SECONDS)
                .address();
    }

    private static Lease<BackendConnection> connected(InProcessPool pool, BackendRequest request) throws IOException {
        Lease<BackendConnection> lease =
                pool.acquire(request, BackendTls.DISABLED, LONG).join();
        if (!lease.connection().isConnected()) {
            lease.connection().connect(LONG);
        }
        return lease;
    }

    @Test
    void whoGivesBackABrokenConnectionDoesNotWaitForTheProbesOfTheOthers() throws Exception {
        try (SilentServer server = new SilentServer()) {
            InProcessPool pool = pool(server.address());
            List<Lease<BackendConnection>> leases = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                leases.add(connected(pool, REQUEST));
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

    @Test
    void nobodyWaitsForAnAddressThatHasFailedWhileAnotherServes() throws Exception {
        try (ServerSocket hanging = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                SilentServer server = new SilentServer()) {
            HostPort dead = new HostPort("127.0.0.1", hanging.getLocalPort());
            InProcessPool pool = pool(dead, server.address());
            pool.failed(dead, new IOException("no greeting"));

            assertThat(pool.backends()).containsExactly(server.address(), dead);
            for (int i = 0; i < 6; i++) {
                assertThat(lend(pool)).isEqualTo(server.address());
            }
            pass(Reachability.BELIEVED_FOR);
            assertThat(lend(pool)).isEqualTo(server.address());
            await("an attempt that hangs").until(() -> BackgroundThreads.busy() == 1);
            for (int i = 0; i < 6; i++) {
                assertThat(lend(pool)).isEqualTo(server.address());
            }

            pass(LONG);
            await("a free thread").until(() -> BackgroundThreads.busy() == 0);
            assertThat(lend(pool)).isEqualTo(server.address());
            pool.close();
        }
    }

    @Test
    void anAddressThatIsThereAgainIsUsedAgain() throws Exception {
        try (SilentServer first = new SilentServer();
                SilentServer second = new SilentServer()) {
            InProcessPool pool = pool(first.address(), second.address());
            pool.failed(first.address(), new IOException("refused"));
            assertThat(lend(pool)).isEqualTo(second.address());
            assertThat(first.accepted()).isZero();

            pass(Reachability.BELIEVED_FOR);
            assertThat(lend(pool)).isEqualTo(second.address());
            await("a place at the first").until(() -> pool.control().occupancy().idle() == 1);
            assertThat(pool.backends()).containsExactly(first.address(), second.address());
            assertThat(List.of(lend(pool), lend(pool))).contains(first.address());
            assertThat(first.accepted()).isEqualTo(1);
            pool.close();
        }
    }

    @Test
    void withoutABetterAddressOneThatHasFailedIsLentAtOnce() throws Exception {
        HostPort one = new HostPort("127.0.0.1", 1);
        HostPort two = new HostPort("127.0.0.1", 2);
        InProcessPool pool = pool(one, two);
        pool.failed(one, new IOException("refused"));
        assertThat(pool.isDown()).isFalse();
        pool.failed(two, new IOException("refused"));

        assertThat(pool.isDown()).isTrue();
        assertThat(pool.backends()).containsExactly(one, two);
        assertThat(List.of(lend(pool), lend(pool))).containsExactlyInAnyOrder(one, two);
        pool.close();
    }

    @Test
    void noMoreConnectionsAreOpenedAheadThanHaveRoomInThePool() {
        PoolConfig two = CONFIG.toBuilder().maxConnectionsPerAddress(2).build();
        InProcessPool pool = new InProcessPool(
                "test", List.of(new HostPort("127.0.0.1", 1)), two, now::get, (task, delay) -> scheduled.add(task));
        assertThat(pool.mayOpenSpare(LOGIN)).isTrue();
        assertThat(pool.mayOpenSpare(LOGIN)).isTrue();
        assertThat(pool.mayOpenSpare(LOGIN)).isFalse();
        assertThat(pool.mayOpenSpare(LOGIN)).isFalse();
        pool.spareIsGone();
        assertThat(pool.mayOpenSpare(LOGIN)).isTrue();
        assertThat(pool.mayOpenSpare(LOGIN)).isFalse();
    }

    @Test
    void aLoginIsDueWithAPasswordThatNobodyHasLoggedInWithLast() {
        InProcessPool pool = pool(new HostPort("127.0.0.1", 1));
        assertThat(pool.isLoginDue(LOGIN)).isTrue();

        pool.loggedIn(BackendCredentials.ofPassword("app", new Secret("secret")));
        pool.loggedIn(BackendCredentials.ofPassword("another", new Secret("other")));
        assertThat(pool.isLoginDue(LOGIN)).isFalse();
        assertThat(pool.isLoginDue(login("other"))).isTrue();

        DriverLogin withKey =
                new DriverLogin(LOGIN.address(), "app", LOGIN.password(), BackendTls.DISABLED, Duration.ZERO, true, 0);
        pool.loginWasTooLate(LOGIN);
        pool.loginWasTooLate(withKey);
        assertThat(pool.isLoginDue(LOGIN)).isTrue();
        pool.loginWasPossible(withKey);
        assertThat(pool.isLoginDue(withKey)).isFalse();
        assertThat(pool.isLoginDue(LOGIN)).as("which may not ask for a key").isTrue();
        pool.loginWasPossible(LOGIN);
        assertThat(pool.isLoginDue(LOGIN)).isFalse();
        pool.close();
    }

    @Test
    void aNewPasswordOfOneUserClosesNoConnectionOfAnother() throws Exception {
        try (SilentServer server = new SilentServer()) {
            InProcessPool pool = pool(server.address());
            Lease<BackendConnection> mine = connected(pool, REQUEST);
            BackendRequest other = new BackendRequest(
                    new PoolKey("another", 0, 45),
                    "",
                    BackendCredentials.ofPassword("another", new Secret("other")),
                    false);
            Lease<BackendConnection> theirs = connected(pool, other);
            pool.loggedIn(Objects.requireNonNull(REQUEST.credentials()));
            pool.loggedIn(Objects.requireNonNull(other.credentials()));
            BackendConnection kept = theirs.connection();
            mine.release();
            theirs.release();

            pool.loggedIn(BackendCredentials.ofPassword("app", new Secret("changed")));

            await("the closed one").until(() -> server.closed() == 1);
            assertThat(connected(pool, other).connection()).isSameAs(kept);
            pool.close();
        }
    }
}

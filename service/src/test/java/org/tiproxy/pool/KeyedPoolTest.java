package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.FakeBackends.Connection;
import org.tiproxy.pool.FakeBackends.Mood;
import org.tiproxy.pool.FakeBackends.Question;

class KeyedPoolTest {
    private static final HostPort A = new HostPort("127.0.0.1", 3306);
    private static final HostPort B = new HostPort("127.0.0.1", 3307);
    private static final HostPort C = new HostPort("127.0.0.1", 3308);

    private final FakeTime time = new FakeTime();
    private final FakeBackends backends = new FakeBackends();
    private final StaticAddresses addresses = StaticAddresses.of(A);

    private KeyedPool<String, Connection> pool(PoolConfig.Builder config) {
        PoolCore<String, Connection> core =
                new PoolCore<>(backends, config.build(), "k", time, time, new IdleSlots<>(4), new Random(1));
        return new KeyedPool<>(core, addresses);
    }

    private static PoolConfig.Builder config(int max) {
        return PoolConfig.builder().maxConnectionsPerAddress(max);
    }

    private static Lease<Connection> got(CompletableFuture<Lease<Connection>> future) {
        assertThat(future).isCompleted();
        return future.join();
    }

    private static AcquireException refusal(CompletableFuture<?> future) {
        assertThat(future).isCompletedExceptionally();
        try {
            future.get();
            throw new AssertionError("not refused");
        } catch (InterruptedException | ExecutionException e) {
            return (AcquireException) e.getCause();
        }
    }

    // ---- lending ----

    @Test
    void reusesWhatWasReleasedLast() {
        KeyedPool<String, Connection> pool = pool(config(5));
        Lease<Connection> first = got(pool.acquireAsync("k"));
        Lease<Connection> second = got(pool.acquireAsync("k"));
        Connection last = second.connection();
        first.release();
        pool.control().listConnections();
        second.release();
        // One of them is parked for this thread, the other is in the list: both are known to work.
        List<Connection> lent = List.of(
                got(pool.acquireAsync("k")).connection(),
                got(pool.acquireAsync("k")).connection());
        assertThat(lent).contains(last);
        assertThat(backends.connects).isEqualTo(2);
        PoolStatistics statistics = pool.control().statistics();
        assertThat(statistics.acquiredTotal()).isEqualTo(4);
        assertThat(statistics.reusedTotal()).isEqualTo(2);
        assertThat(statistics.createdTotal()).isEqualTo(2);
    }

    @Test
    void servesWaitersFirstComeFirstServed() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> held = got(pool.acquireAsync("k"));
        List<CompletableFuture<Lease<Connection>>> waiting = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waiting.add(pool.acquireAsync("k"));
        }
        waiting.get(0).cancel(false);
        for (int i = 1; i < 100; i++) {
            held.release();
            held = got(waiting.get(i));
            assertThat(pool.control().statistics().pending()).isEqualTo(99 - i);
        }
        assertThat(backends.connects).isEqualTo(1);
    }

    @Test
    void whatIsIdleMakesRoomForAnotherKeyAtAPeerThatHasNone() {
        backends.room = 3;
        KeyedPool<String, Connection> pool =
                pool(config(10).minBackoff(Duration.ofMillis(50)).failFast(true));
        Lease<Connection> held = got(pool.acquireAsync("a"));
        Lease<Connection> first = got(pool.acquireAsync("a"));
        Lease<Connection> second = got(pool.acquireAsync("a"));
        Connection oldest = first.connection();
        first.release();
        time.pass(Duration.ofMillis(1));
        second.release();

        CompletableFuture<Lease<Connection>> other = pool.acquireAsync("b");
        assertThat(other).isNotDone();
        assertThat(oldest.open).isFalse();
        assertThat(backends.open).hasSize(2);
        time.pass(Duration.ofMillis(50));
        got(other).release();
        assertThat(got(pool.acquireAsync("a")).uses())
                .as("the other one is still there")
                .isEqualTo(2);
        held.release();
    }

    @Test
    void aPeerThatHasNoRoomForOthersReasonsIsAFailure() {
        backends.room = 0;
        KeyedPool<String, Connection> pool = pool(config(10).failFast(true));
        assertThat(refusal(pool.acquireAsync("a"))).hasMessageContaining("too many at 127.0.0.1:3306");
    }

    @Test
    void aConnectionThatCannotWaitIsClosedWhenItsCallerHasGone() {
        backends.impatient.add("k");
        backends.moods.put(A, Mood.SILENT);
        KeyedPool<String, Connection> pool = pool(config(1));
        CompletableFuture<Lease<Connection>> gone = pool.acquireAsync("k");
        Question connect = backends.questions.iterator().next();
        gone.cancel(false);
        backends.moods.put(A, Mood.UP);
        backends.answer(connect);
        assertThat(backends.open).isEmpty();
        PoolStatistics statistics = pool.control().statistics();
        assertThat(statistics.total()).isZero();
        assertThat(statistics.createdTotal()).isEqualTo(1);
        assertThat(statistics.brokenTotal()).isZero();

        Lease<Connection> used = got(pool.acquireAsync("k"));
        used.connection().patient = true;
        used.release();
        assertThat(pool.control().statistics().idle()).isEqualTo(1);
    }

    @Test
    void aConnectionThatCannotWaitIsClosedWhenItsCallerGoesInTheMomentItComes() {
        backends.impatient.add("k");
        backends.moods.put(A, Mood.SILENT);
        KeyedPool<String, Connection> pool = pool(config(1));
        CompletableFuture<Lease<Connection>> gone = pool.acquireAsync("k");
        backends.moods.put(A, Mood.UP);
        backends.cancelWhenReused = gone;
        backends.answer(backends.questions.iterator().next());
        assertThat(gone).isCancelled();
        assertThat(backends.open).isEmpty();
        assertThat(pool.control().statistics().total()).isZero();
    }

    @Test
    void aConnectionThatCannotWaitGoesToTheNextCallerWhoDoes() {
        backends.impatient.add("k");
        backends.moods.put(A, Mood.SILENT);
        KeyedPool<String, Connection> pool = pool(config(1));
        CompletableFuture<Lease<Connection>> gone = pool.acquireAsync("k");
        CompletableFuture<Lease<Connection>> next = pool.acquireAsync("k");
        gone.cancel(false);
        backends.moods.put(A, Mood.UP);
        backends.answer(backends.questions.iterator().next());
        got(next);
        assertThat(backends.connects).isEqualTo(1);
    }

    @Test
    void aLongQueueOfCallersThatReleaseAtOnceDoesNotOverflowTheStack() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> held = got(pool.acquireAsync("k"));
        List<CompletableFuture<Void>> done = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            done.add(pool.acquireAsync("k").thenAccept(Lease::release));
        }
        held.release();
        time.pass(Duration.ZERO);
        assertThat(done).allMatch(CompletableFuture::isDone).noneMatch(CompletableFuture::isCompletedExceptionally);
    }

    @Test
    void aLeaseIsReleasedOnceAndUselessAfterwards() {
        KeyedPool<String, Connection> pool = pool(config(2));
        Lease<Connection> lease = got(pool.acquireAsync("k"));
        lease.release();
        lease.releaseBroken("too late to matter");
        assertThatThrownBy(lease::connection)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the lease of connection 1 to 127.0.0.1:3306 was released");
        assertThat(pool.control().statistics().idle()).isEqualTo(1);
        assertThat(got(pool.acquireAsync("k")).uses()).isEqualTo(2);
    }

    @Test
    void aFailedAcquireNamesTheNumbersAndTheLastCause() {
        KeyedPool<String, Connection> pool = pool(config(3));
        got(pool.acquireAsync("k"));
        got(pool.acquireAsync("k"));
        backends.moods.put(A, Mood.DOWN);
        CompletableFuture<?> first = pool.acquireAsync("k", Duration.ofSeconds(30));
        pool.acquireAsync("k", Duration.ofSeconds(60));
        time.pass(Duration.ofMillis(29_999));
        assertThat(first).isNotDone();
        time.pass(Duration.ofMillis(1));
        AcquireException failure = refusal(first);
        assertThat(failure)
                .hasMessage(
                        "no connection to 127.0.0.1:3306 within 30000 ms (total 2 of 3, active 2, idle 0, waiting 2;"
                                + " last connect failure: refused by 127.0.0.1:3306)")
                .hasCauseInstanceOf(IOException.class);
        assertThat(failure.reason()).isEqualTo(AcquireException.Reason.TIMEOUT);
        assertThat(pool.control().statistics().timeoutsTotal()).isEqualTo(1);
        assertThat(pool.control().statistics().lastFailure()).isEqualTo("refused by 127.0.0.1:3306");
    }

    @Test
    void failsAtOnceWhenAllIsDownAndTheConfigurationSaysSo() {
        backends.moods.put(A, Mood.DOWN);
        KeyedPool<String, Connection> pool = pool(config(3).failFast(true));
        AcquireException failure = refusal(pool.acquireAsync("k"));
        assertThat(failure.reason()).isEqualTo(AcquireException.Reason.DOWN);
        assertThat(failure).hasMessageContaining("refused by 127.0.0.1:3306");
        backends.moods.put(A, Mood.UP);
        time.pass(Duration.ofSeconds(1));
        assertThat(pool.acquireAsync("k")).isCompleted();
    }

    @Test
    void aConnectThatHangsIsCancelledAndTriedAgain() {
        backends.moods.put(A, Mood.SILENT);
        KeyedPool<String, Connection> pool = pool(config(3).connectTimeout(Duration.ofSeconds(2)));
        CompletableFuture<Lease<Connection>> waiting = pool.acquireAsync("k");
        Question hung = backends.questions.iterator().next();
        time.pass(Duration.ofSeconds(2));
        assertThat(hung.future()).isCancelled();
        backends.moods.put(A, Mood.UP);
        time.pass(Duration.ofMillis(100));
        assertThat(waiting).isCompleted();
        assertThat(pool.control().statistics().lastFailure()).isEqualTo("not connected within 2000 ms");
    }

    // ---- valid when handed out ----

    @Test
    void probesWhatWasIdleForLongerThanTheBypassWindow() {
        KeyedPool<String, Connection> pool = pool(config(3));
        got(pool.acquireAsync("k")).release();
        time.pass(Duration.ofMillis(500));
        got(pool.acquireAsync("k")).release();
        assertThat(backends.probes).isZero();
        time.pass(Duration.ofMillis(501));
        got(pool.acquireAsync("k")).release();
        assertThat(backends.probes).isEqualTo(1);
    }

    @Test
    void aCallerDoesNotMeetARowOfDeadOnesAfterARestart() {
        backends.deathIsVisible = false;
        KeyedPool<String, Connection> pool = pool(config(10));
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        Lease<Connection> inUse = leases.remove(0);
        leases.forEach(Lease::release);
        backends.open.forEach(one -> one.dead = true);
        inUse.releaseBroken("connection reset");
        assertThat(backends.probes)
                .as("the others are asked at once, though idle for no time")
                .isEqualTo(9);
        Lease<Connection> next = got(pool.acquireAsync("k"));
        assertThat(next.connection().dead).isFalse();
        assertThat(pool.control().statistics().brokenTotal()).isEqualTo(10);
    }

    @Test
    void whatThePeerClosesWhileIdleIsDroppedAndNotLent() {
        KeyedPool<String, Connection> pool = pool(config(2));
        Lease<Connection> lease = got(pool.acquireAsync("k"));
        Connection connection = lease.connection();
        lease.release();
        backends.kill(connection, true);
        assertThat(connection.open).isFalse();
        assertThat(pool.control().statistics().brokenTotal()).isEqualTo(1);
        assertThat(got(pool.acquireAsync("k")).connection()).isNotSameAs(connection);
    }

    @Test
    void theLastLookKeepsADeadConnectionFromBeingLent() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> lease = got(pool.acquireAsync("k"));
        Connection connection = lease.connection();
        lease.release();
        backends.kill(connection, false);
        assertThat(got(pool.acquireAsync("k")).connection()).isNotSameAs(connection);
    }

    @Test
    void anErrorMarksAConnectionAndAnInterruptionDoesNot() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> interrupted = got(pool.acquireAsync("k"));
        Connection connection = interrupted.connection();
        interrupted.failed(new InterruptedException());
        interrupted.close();
        Lease<Connection> failed = got(pool.acquireAsync("k"));
        assertThat(failed.connection()).isSameAs(connection);
        failed.failed(new IOException("reset"));
        failed.close();
        assertThat(connection.open).isFalse();
    }

    // ---- keeping house ----

    @Test
    void refillsAfterAnOutageWithGrowingPauses() {
        KeyedPool<String, Connection> pool = pool(config(10).minIdle(4));
        time.pass(Duration.ofSeconds(1));
        assertThat(pool.control().statistics().idle()).isEqualTo(4);
        backends.moods.put(A, Mood.DOWN);
        new ArrayList<>(backends.open).forEach(one -> backends.kill(one, true));
        int before = backends.connects;
        time.pass(Duration.ofSeconds(60));
        assertThat(backends.connects - before)
                .as("one attempt at a time, ever more rarely")
                .isBetween(15, 30);
        backends.moods.put(A, Mood.UP);
        time.pass(Duration.ofSeconds(4));
        assertThat(pool.control().statistics().idle()).isEqualTo(4);
        assertThat(pool.control().statistics().addresses().get(0).consecutiveFailures())
                .isZero();
    }

    @Test
    void closesWhatIsIdleForTooLongButKeepsMinIdle() {
        KeyedPool<String, Connection> pool =
                pool(config(5).minIdle(2).idleTimeout(Duration.ofSeconds(30)).keepAlive(Duration.ZERO));
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        leases.forEach(Lease::release);
        time.pass(Duration.ofSeconds(29));
        assertThat(pool.control().statistics().idle()).isEqualTo(5);
        time.pass(Duration.ofSeconds(2));
        assertThat(pool.control().statistics().idle()).isEqualTo(2);
        assertThat(backends.probes).isZero();
    }

    @Test
    void replacesWhatIsTooOldNotAllAtOnce() {
        KeyedPool<String, Connection> pool =
                pool(config(20).maxLifetime(Duration.ofSeconds(100)).idleTimeout(Duration.ZERO));
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        Lease<Connection> inUse = leases.remove(0);
        leases.forEach(Lease::release);
        time.pass(Duration.ofSeconds(89));
        assertThat(pool.control().statistics().total()).isEqualTo(20);
        time.pass(Duration.ofSeconds(6));
        assertThat(pool.control().statistics().idle()).isBetween(1, 18);
        time.pass(Duration.ofSeconds(6));
        assertThat(pool.control().statistics().total())
                .as("only what is in use")
                .isEqualTo(1);
        inUse.release();
        assertThat(pool.control().statistics().total()).isZero();
    }

    @Test
    void asksIdleConnectionsFromTimeToTime() {
        backends.deathIsVisible = false;
        KeyedPool<String, Connection> pool = pool(config(5).keepAlive(Duration.ofSeconds(10)));
        Lease<Connection> lease = got(pool.acquireAsync("k"));
        Connection connection = lease.connection();
        lease.release();
        time.pass(Duration.ofSeconds(25));
        assertThat(backends.probes).isEqualTo(2);
        connection.dead = true;
        time.pass(Duration.ofSeconds(12));
        assertThat(connection.open).isFalse();
    }

    @Test
    void countsALeaseThatIsHeldForTooLongOnce() {
        KeyedPool<String, Connection> pool = pool(config(5).leakDetectionThreshold(Duration.ofSeconds(10)));
        Lease<Connection> leaked = got(pool.acquireAsync("k"));
        got(pool.acquireAsync("k")).release();
        time.pass(Duration.ofSeconds(9));
        assertThat(pool.control().statistics().leakedTotal()).isZero();
        time.pass(Duration.ofSeconds(60));
        assertThat(pool.control().statistics().leakedTotal()).isEqualTo(1);
        assertThat(leaked.trace)
                .hasMessage("acquired here by thread " + Thread.currentThread().getName());
        leaked.release();
        assertThat(pool.control().statistics().idle()).isEqualTo(2);
    }

    // ---- several addresses ----

    @Test
    void spreadsAcquiresExactlyByWeight() {
        addresses.set(List.of(new WeightedAddress(A, 5), new WeightedAddress(B, 2), new WeightedAddress(C, 1)));
        KeyedPool<String, Connection> pool = pool(config(100));
        Map<HostPort, Integer> counts = new HashMap<>();
        HostPort last = C;
        int repeats = 0;
        for (int i = 0; i < 80; i++) {
            HostPort address = got(pool.acquireAsync("k")).address();
            counts.merge(address, 1, Integer::sum);
            repeats = address.equals(last) ? repeats + 1 : 0;
            last = address;
            assertThat(repeats).as("a heavy address in a row").isLessThan(3);
            if (i % 8 == 7) {
                int rounds = (i + 1) / 8;
                assertThat(counts).isEqualTo(Map.of(A, 5 * rounds, B, 2 * rounds, C, rounds));
            }
        }
    }

    @Test
    void leavesAnAddressThatIsDownAndComesBack() {
        addresses.set(List.of(WeightedAddress.of(A), WeightedAddress.of(B)));
        backends.moods.put(A, Mood.DOWN);
        KeyedPool<String, Connection> pool = pool(config(100));
        for (int i = 0; i < 10; i++) {
            assertThat(got(pool.acquireAsync("k")).address()).isEqualTo(B);
        }
        backends.moods.put(A, Mood.UP);
        time.pass(Duration.ofSeconds(5));
        List<HostPort> next = List.of(
                got(pool.acquireAsync("k")).address(),
                got(pool.acquireAsync("k")).address());
        assertThat(next).containsExactlyInAnyOrder(A, B);
    }

    @Test
    void aRemovedAddressLosesItsIdleConnectionsAtOnceAndTheOthersOnRelease() {
        addresses.set(List.of(WeightedAddress.of(A), WeightedAddress.of(B)));
        KeyedPool<String, Connection> pool = pool(config(5));
        Map<HostPort, Lease<Connection>> used = new HashMap<>();
        List<Lease<Connection>> rest = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Lease<Connection> lease = got(pool.acquireAsync("k"));
            if (used.putIfAbsent(lease.address(), lease) != null) {
                rest.add(lease);
            }
        }
        rest.forEach(Lease::release);
        addresses.set(List.of(WeightedAddress.of(B)));
        assertThat(backends.openTo(A)).isEqualTo(1);
        assertThat(pool.control().statistics().addresses())
                .extracting(AddressStatistics::weight)
                .contains(0);
        used.get(A).release();
        assertThat(backends.openTo(A)).isZero();
        assertThat(pool.control().statistics().addresses())
                .extracting(AddressStatistics::address)
                .containsExactly(B);
        assertThat(pool.control().statistics().acquiredTotal()).isEqualTo(4);
        assertThat(got(pool.acquireAsync("k")).address()).isEqualTo(B);
    }

    // ---- keys ----

    @Test
    void anIdleConnectionOfAnotherKeyMakesRoom() {
        KeyedPool<String, Connection> pool = pool(config(2));
        Lease<Connection> oldest = got(pool.acquireAsync("alice"));
        Lease<Connection> other = got(pool.acquireAsync("bob"));
        Connection alices = oldest.connection();
        oldest.release();
        time.pass(Duration.ofMillis(1));
        other.release();
        Lease<Connection> third = got(pool.acquireAsync("carol"));
        assertThat(third.connection().key).isEqualTo("carol");
        assertThat(alices.open).isFalse();
        assertThat(backends.open).hasSize(2);
    }

    @Test
    void aCallerWithARareKeyIsPassedByOnlySoManyTimes() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> held = got(pool.acquireAsync("busy"));
        CompletableFuture<Lease<Connection>> rare = pool.acquireAsync("rare");
        List<CompletableFuture<Lease<Connection>>> busy = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            busy.add(pool.acquireAsync("busy"));
        }
        int passed = 0;
        while (!rare.isDone()) {
            held.release();
            if (!rare.isDone()) {
                held = got(busy.get(passed++));
            }
        }
        assertThat(passed).isEqualTo(PoolCore.MAX_BYPASS);
    }

    // ---- operating ----

    @Test
    void waitsWhileSuspended() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> held = got(pool.acquireAsync("k"));
        pool.control().suspend();
        held.release();
        CompletableFuture<Lease<Connection>> waiting = pool.acquireAsync("k");
        assertThat(waiting).isNotDone();
        pool.control().resume();
        assertThat(waiting).isCompleted();
    }

    @Test
    void aLoweredBoundClosesWhatOverflows() {
        KeyedPool<String, Connection> pool = pool(config(5));
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        leases.remove(0).release();
        pool.control()
                .reconfigure(old -> old.toBuilder().maxConnectionsPerAddress(2).build());
        assertThat(backends.open).hasSize(4);
        leases.forEach(Lease::release);
        assertThat(backends.open).hasSize(2);
        assertThat(pool.control().statistics().idle()).isEqualTo(2);
    }

    @Test
    void replacesEveryConnectionAsItComesBack() {
        KeyedPool<String, Connection> pool = pool(config(5));
        Lease<Connection> held = got(pool.acquireAsync("k"));
        got(pool.acquireAsync("k")).release();
        Connection old = held.connection();
        assertThat(pool.control().softEvict()).isEqualTo(2);
        assertThat(backends.open).containsExactly(old);
        held.release();
        assertThat(backends.open).isEmpty();
    }

    @Test
    void evictsByKey() {
        KeyedPool<String, Connection> pool = pool(config(5));
        Lease<Connection> alice = got(pool.acquireAsync("alice"));
        got(pool.acquireAsync("bob")).release();
        assertThat(pool.control().evict(info -> info.key().equals("alice"))).isEqualTo(1);
        alice.release();
        assertThat(backends.open).extracting(one -> one.key).containsExactly("bob");
        assertThat(pool.control().evictIdle()).isEqualTo(1);
        assertThat(backends.open).isEmpty();
    }

    @Test
    void theCloseFailsWaitersAndEndsWithTheLastLease() {
        KeyedPool<String, Connection> pool = pool(config(1));
        Lease<Connection> held = got(pool.acquireAsync("k"));
        CompletableFuture<Lease<Connection>> waiting = pool.acquireAsync("k");
        pool.close();
        assertThat(refusal(waiting)).hasMessage("the pool \"pool\" is closed");
        assertThat(pool.closed()).isNotDone();
        held.release();
        assertThat(pool.closed()).isCompleted();
        assertThat(backends.open).isEmpty();
        assertThat(refusal(pool.acquireAsync("k")).reason()).isEqualTo(AcquireException.Reason.CLOSED);
    }

    @Test
    void rejectsImpossibleValues() {
        assertThatThrownBy(() -> config(0).build()).hasMessage("maxConnectionsPerAddress 0 is below 1");
        assertThatThrownBy(() -> config(2).minIdle(3).build())
                .hasMessage("minIdle 3 is not between 0 and maxConnectionsPerAddress 2");
        assertThatThrownBy(() -> config(2).connectTimeout(Duration.ZERO).build())
                .hasMessage("connectTimeout PT0S is not between a nanosecond and 100 years");
    }

    // ---- what is opened ahead, and what a connection may become ----

    @Test
    void everyConnectionIsProbedOnceBeforeItIsLentWithoutABypass() {
        KeyedPool<String, Connection> pool = pool(config(2).probeBypass(Duration.ZERO));
        for (int i = 0; i < 5; i++) {
            time.pass(Duration.ofMillis(1));
            got(pool.acquireAsync("k")).release();
        }
        assertThat(backends.connects).isEqualTo(1);
        assertThat(backends.probes).isEqualTo(4);
    }

    @Test
    void minIdleIsFilledForTheKeyThatWasAskedForLast() {
        KeyedPool<String, Connection> pool = pool(config(10).minIdle(2));
        assertThat(backends.open).extracting(one -> one.key).containsExactly("k", "k");
        Lease<Connection> lease = got(pool.acquireAsync("other"));
        pool.control().evictIdle();
        assertThat(backends.open).extracting(one -> one.key).containsExactly("other", "other", "other");
        lease.release();
    }

    @Test
    void nothingIsOpenedAheadForAKeyThatWasRefused() {
        KeyedPool<String, Connection> pool = pool(config(10).minIdle(2));
        backends.refused.add("no");
        Lease<Connection> lease = got(pool.acquireAsync("no"));
        pool.control().evictIdle();
        // The address works all the same.
        assertThat(pool.control().statistics().addresses().get(0).connectFailuresTotal())
                .isZero();
        assertThat(pool.control().statistics().lastFailure()).isEqualTo("nobody wants no");
        lease.release();
        got(pool.acquireAsync("k")).release();
        pool.control().evictIdle();
        assertThat(backends.open).extracting(one -> one.key).containsExactly("k", "k");
    }

    @Test
    void aBorrowedConnectionCanBeGivenAnotherKey() {
        KeyedPool<String, Connection> pool = pool(config(2));
        Lease<Connection> lease = got(pool.acquireAsync("unknown yet"));
        Connection connection = lease.connection();
        pool.rekey(lease, "k");
        lease.release();
        assertThat(got(pool.acquireAsync("k")).connection()).isSameAs(connection);
        assertThatThrownBy(() -> pool.rekey(lease, "k")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void nobodyWaitsForAnAddressThatIsTriedAgainWhileOthersServe() {
        addresses.set(List.of(WeightedAddress.of(A), WeightedAddress.of(B)));
        backends.moods.put(A, Mood.DOWN);
        KeyedPool<String, Connection> pool = pool(config(10));
        List<Lease<Connection>> leases = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        assertThat(leases).extracting(Lease::address).containsOnly(B);
        // Now a connect to it stays without an answer.
        backends.moods.put(A, Mood.SILENT);
        time.pass(Duration.ofSeconds(5));
        for (int i = 0; i < 4; i++) {
            leases.add(got(pool.acquireAsync("k")));
        }
        assertThat(leases).extracting(Lease::address).containsOnly(B);
        assertThat(backends.questions).hasSize(1);
        backends.moods.put(A, Mood.UP);
        backends.answer(backends.questions.iterator().next());
        leases.add(got(pool.acquireAsync("k")));
        leases.add(got(pool.acquireAsync("k")));
        assertThat(leases).extracting(Lease::address).contains(A);
        leases.forEach(Lease::release);
    }
}

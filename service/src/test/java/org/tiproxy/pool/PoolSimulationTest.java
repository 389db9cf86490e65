package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.FakeBackends.Connection;
import org.tiproxy.pool.FakeBackends.Mood;
import org.tiproxy.pool.FakeBackends.Question;

/** Random events against simulated backends; what must hold is checked after each of them. */
class PoolSimulationTest {
    private static final int SEEDS_PER_BATCH = 125;

    static LongStream batches() {
        return LongStream.range(0, 20);
    }

    @ParameterizedTest
    @MethodSource("batches")
    void invariantsHoldWhateverHappensToOneKey(long batch) {
        for (long seed = batch * SEEDS_PER_BATCH; seed < (batch + 1) * SEEDS_PER_BATCH; seed++) {
            run(seed, 1, 300);
        }
    }

    @ParameterizedTest
    @MethodSource("batches")
    void invariantsHoldWhateverHappensToSeveralKeys(long batch) {
        for (long seed = batch * SEEDS_PER_BATCH; seed < (batch + 1) * SEEDS_PER_BATCH; seed++) {
            run(seed, 3, 300);
        }
    }

    private static void run(long seed, int keys, int events) {
        World world = new World(seed, keys);
        try {
            world.run(events);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + " with " + keys + " keys after " + world.events + " events", e);
        }
    }

    /** A caller, in the order of arrival. */
    private static final class Caller {
        final String key;
        final long deadline;
        final CompletableFuture<Lease<Connection>> future;

        Caller(String key, long deadline, CompletableFuture<Lease<Connection>> future) {
            this.key = key;
            this.deadline = deadline;
            this.future = future;
        }
    }

    private static final class World {
        private final Random random;
        private final FakeTime time = new FakeTime();
        private final FakeBackends backends = new FakeBackends();
        private final List<HostPort> hosts =
                List.of(new HostPort("10.0.0.1", 1), new HostPort("10.0.0.2", 2), new HostPort("10.0.0.3", 3));
        private final int keys;
        private final StaticAddresses addresses;
        private final KeyedPool<String, Connection> pool;
        private final PoolControl control;

        private final List<Caller> callers = new ArrayList<>();
        private final List<Lease<Connection>> leases = new ArrayList<>();
        private boolean suspended;
        private int served;
        int events;

        World(long seed, int keys) {
            random = new Random(seed);
            this.keys = keys;
            time.pass(Duration.ofNanos(random.nextLong() >>> 2));
            backends.deathIsVisible = random.nextBoolean();
            if (keys > 1 && random.nextBoolean()) {
                backends.impatient.add("key1");
            }
            addresses = new StaticAddresses(someAddresses());
            backends.bound = 1 + random.nextInt(5);
            backends.room = random.nextInt(4) == 0 ? 1 + random.nextInt(3) : Integer.MAX_VALUE;
            PoolConfig config = PoolConfig.builder()
                    .maxConnectionsPerAddress(backends.bound)
                    .minIdle(random.nextInt(backends.bound + 1) / 2)
                    .acquireTimeout(Duration.ofSeconds(20))
                    .idleTimeout(Duration.ofSeconds(random.nextInt(3) * 30L))
                    .maxLifetime(Duration.ofSeconds(random.nextInt(3) * 60L))
                    .keepAlive(Duration.ofSeconds(random.nextInt(3) * 10L))
                    .failFast(random.nextInt(4) == 0)
                    .build();
            PoolCore<String, Connection> core =
                    new PoolCore<>(backends, config, "key0", time, time, new IdleSlots<>(1), new Random(seed));
            pool = new KeyedPool<>(core, addresses);
            control = pool.control();
        }

        private List<WeightedAddress> someAddresses() {
            List<WeightedAddress> some = new ArrayList<>();
            for (HostPort host : hosts) {
                if (random.nextBoolean()) {
                    some.add(new WeightedAddress(host, random.nextInt(4)));
                }
            }
            return some;
        }

        void run(int count) {
            for (events = 0; events < count; events++) {
                oneEvent();
                check();
            }
            recover();
            end();
        }

        private void oneEvent() {
            switch (random.nextInt(30)) {
                case 0, 1, 2, 3, 4, 5, 6 -> acquire();
                case 7, 8, 9, 10, 11, 12 -> release(false);
                case 13 -> release(true);
                case 14, 15 -> time.pass(Duration.ofMillis(random.nextInt(700)));
                case 16 -> time.pass(Duration.ofMillis(random.nextInt(15_000)));
                case 17, 18 -> setMood();
                case 19, 20, 21 -> answerOne();
                case 22 -> kill(1);
                case 23 -> restartOne();
                case 24 -> cancel();
                case 25 -> {
                    if (random.nextInt(4) == 0) {
                        addresses.set(someAddresses());
                    }
                }
                case 26 -> {
                    if (random.nextInt(3) == 0) {
                        resize();
                    }
                }
                case 27 -> {
                    suspended = random.nextInt(3) == 0;
                    if (suspended) {
                        control.suspend();
                    } else {
                        control.resume();
                    }
                }
                case 28 -> operate();
                default -> time.pass(Duration.ZERO);
            }
        }

        private void acquire() {
            String key = "key" + random.nextInt(keys);
            Duration timeout = Duration.ofMillis(random.nextInt(10) == 0 ? 0 : random.nextInt(20_000));
            List<Caller> earlier = callers.stream()
                    .filter(one -> one.key.equals(key) && !one.future.isDone())
                    .toList();
            CompletableFuture<Lease<Connection>> future = pool.acquireAsync(key, timeout);
            if (future.isDone() && !future.isCompletedExceptionally()) {
                // One call may serve those who wait, and then the one who has just come.
                assertThat(earlier).as("callers who wait are not overtaken").allMatch(one -> one.future.isDone());
                assertThat(suspended).as("lent while suspended").isFalse();
            }
            callers.add(new Caller(key, time.nanoTime() + timeout.toNanos(), future));
        }

        private void release(boolean broken) {
            if (leases.isEmpty()) {
                return;
            }
            Lease<Connection> lease = leases.remove(random.nextInt(leases.size()));
            Connection connection = lease.connection();
            connection.lent = false;
            if (broken || connection.dead) {
                connection.knownDead = true;
                lease.releaseBroken("the test says so");
            } else {
                lease.release();
                lease.release();
            }
        }

        private void setMood() {
            Mood[] moods = {Mood.UP, Mood.UP, Mood.DOWN, Mood.SILENT};
            backends.moods.put(hosts.get(random.nextInt(hosts.size())), moods[random.nextInt(moods.length)]);
        }

        private void answerOne() {
            if (!backends.questions.isEmpty()) {
                List<Question> all = new ArrayList<>(backends.questions);
                backends.answer(all.get(random.nextInt(all.size())));
            }
        }

        private void kill(int share) {
            for (Connection connection : new ArrayList<>(backends.open)) {
                if (random.nextInt(share + 2) == 0) {
                    backends.kill(connection, backends.deathIsVisible && random.nextBoolean());
                }
            }
        }

        private void restartOne() {
            HostPort host = hosts.get(random.nextInt(hosts.size()));
            for (Connection connection : new ArrayList<>(backends.open)) {
                if (connection.address.equals(host)) {
                    backends.kill(connection, backends.deathIsVisible && random.nextBoolean());
                }
            }
        }

        private void cancel() {
            if (!callers.isEmpty()) {
                callers.get(random.nextInt(callers.size())).future.cancel(false);
            }
        }

        private void resize() {
            backends.bound = 1 + random.nextInt(5);
            control.reconfigure(config -> config.toBuilder()
                    .maxConnectionsPerAddress(backends.bound)
                    .minIdle(random.nextInt(backends.bound + 1) / 2)
                    .build());
        }

        private void operate() {
            switch (random.nextInt(6)) {
                case 0 -> control.evictIdle();
                case 1 -> control.softEvict();
                case 2 -> control.evict(info -> info.id() % 2 == 0);
                default -> {
                    // An operator who only looks must change nothing.
                    PoolStatistics before = control.statistics();
                    assertThat(control.listConnections()).hasSize(before.total());
                    assertThat(control.statistics()).isEqualTo(before);
                }
            }
        }

        /** Takes what was served, in order of arrival, and compares the pool's books with the world. */
        private void check() {
            // First come, first served: among callers of one key nobody is served while an earlier one still waits.
            Map<String, Caller> stillWaiting = new HashMap<>();
            for (Caller caller : new ArrayList<>(callers)) {
                if (!caller.future.isDone()) {
                    stillWaiting.putIfAbsent(caller.key, caller);
                    assertThat(caller.deadline - time.nanoTime())
                            .as("time left")
                            .isNotNegative();
                } else if (caller.future.isCompletedExceptionally()) {
                    callers.remove(caller);
                } else {
                    assertThat(stillWaiting).as("overtaken").doesNotContainKey(caller.key);
                    callers.remove(caller);
                    take(caller);
                }
            }
            assertThat(backends.open)
                    .as("idle, though nobody has used it")
                    .noneMatch(one -> one.watched && !one.patient);
            PoolStatistics statistics = control.statistics();
            assertThat(statistics.pending()).as("pending").isEqualTo(callers.size());
            assertThat(statistics.active()).as("active").isEqualTo(leases.size());
            assertThat(statistics.acquiredTotal()).as("acquired").isEqualTo(served);
            int open = 0;
            for (AddressStatistics row : statistics.addresses()) {
                assertThat(row.total())
                        .as("sum of states of %s", row)
                        .isEqualTo(row.active() + row.idle() + row.connecting() + row.probing() + row.closing());
                open += row.total() - row.connecting();
            }
            assertThat(open).as("open connections").isEqualTo(backends.open.size());
            assertThat(statistics.createdTotal() - statistics.closedTotal()).isEqualTo(open);
            if (!suspended && !callers.isEmpty()) {
                nobodyWaitsForNothing(statistics);
            }
        }

        private void take(Caller caller) {
            Lease<Connection> lease = caller.future.join();
            Connection connection = lease.connection();
            assertThat(connection.lent).as("lent twice").isFalse();
            assertThat(connection.open).as("open").isTrue();
            assertThat(connection.knownDead).as("lent after an error").isFalse();
            assertThat(connection.watched).as("watched while lent").isFalse();
            assertThat(connection.key).isEqualTo(caller.key);
            connection.lent = true;
            connection.patient = true;
            served++;
            leases.add(lease);
        }

        /** While somebody waits, every address is full, silent or backing off. */
        private void nobodyWaitsForNothing(PoolStatistics statistics) {
            for (AddressStatistics row : statistics.addresses()) {
                if (row.weight() > 0 && row.consecutiveFailures() == 0) {
                    boolean full = row.total() >= backends.bound && (row.idle() == 0 || row.probing() > 0);
                    boolean coming = row.connecting() + row.probing() > 0;
                    boolean elsewhere =
                            statistics.addresses().stream().anyMatch(other -> other.connecting() + other.probing() > 0);
                    assertThat(full || coming || elsewhere)
                            .as("a waiter is lost: %s", row)
                            .isTrue();
                }
            }
        }

        /** After whatever has happened, the pool serves again once the backends do. */
        private void recover() {
            for (HostPort host : hosts) {
                backends.moods.put(host, Mood.UP);
            }
            for (Question question : new ArrayList<>(backends.questions)) {
                backends.answer(question);
            }
            control.resume();
            suspended = false;
            addresses.set(List.of(WeightedAddress.of(hosts.get(0)), WeightedAddress.of(hosts.get(1))));
            check();
            while (!leases.isEmpty() || !callers.isEmpty()) {
                if (leases.isEmpty()) {
                    time.pass(Duration.ofSeconds(5));
                } else {
                    release(false);
                }
                check();
            }
            time.pass(Duration.ofSeconds(30));
            check();
            int minIdle = Math.min(backends.room, control.config().minIdle());
            for (AddressStatistics row : control.statistics().addresses()) {
                assertThat(row.idle()).as("refilled: %s", row).isGreaterThanOrEqualTo(minIdle);
            }
            int before = served;
            acquire();
            time.pass(Duration.ofSeconds(20));
            check();
            if (callers.isEmpty() && served > before) {
                assertThat(leases).isNotEmpty();
            }
        }

        private void end() {
            acquire();
            pool.close();
            check();
            assertThat(callers).as("waiting after the close").isEmpty();
            while (!leases.isEmpty()) {
                release(false);
            }
            assertThat(backends.open).isEmpty();
            assertThat(pool.closed()).isCompleted();
            assertThat(pool.acquireAsync("key0")).isCompletedExceptionally();
            time.pass(Duration.ofMinutes(10));
            assertThat(time.scheduled()).as("timers left").isZero();
        }
    }
}

package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/** Thousands of random events against a simulated child; what must hold is checked after each of them. */
class SupervisorSimulationTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void invariantsHoldWhateverHappens(long seed) {
        new World(seed).run(20_000);
    }

    /** A simulated process with one descendant. */
    private static final class Child {
        final long attempt;
        boolean alive = true;
        boolean descendantAlive = true;
        boolean ignoresSigterm;
        boolean watched;

        Child(long attempt) {
            this.attempt = attempt;
        }

        boolean anyAlive() {
            return alive || descendantAlive;
        }
    }

    private static final class World implements SupervisorEffects {
        private static final BackendGate.Visitor DEAF = new BackendGate.Visitor() {
            @Override
            public void admitted() {}

            @Override
            public void refused(ProxyException cause) {}

            @Override
            public void backendGone(String reason) {}
        };

        private final Random random;
        private final SupervisorStateMachine machine;
        private long now;

        /** Decided and not yet done; done in this order. */
        private final Deque<Runnable> effects = new ArrayDeque<>();
        /** Happened and not yet told to the machine; told in any order. */
        private final List<Runnable> news = new ArrayList<>();

        private @Nullable Child child;
        private final Set<Visit> waiting = new LinkedHashSet<>();
        private final Set<Visit> active = new LinkedHashSet<>();
        private final Set<Operation> open = new LinkedHashSet<>();
        private int closedCount;
        private int spawned;
        private int idleStops;
        private int unexpected;

        World(long seed) {
            random = new Random(seed);
            now = random.nextLong();
            SupervisorConfig config = SupervisorConfigs.sample()
                    .idle(Duration.ofSeconds(random.nextInt(3) * 10L))
                    .build();
            machine = new SupervisorStateMachine(config, "simulated", this);
        }

        void run(int events) {
            for (int i = 0; i < events; i++) {
                oneEvent();
                check();
            }
            assertThat(spawned).isGreaterThan(50);
            assertThat(idleStops).isPositive();
            assertThat(unexpected).isPositive();
            machine.close(false, now);
            for (int i = 0; closedCount == 0; i++) {
                assertThat(i).as("steps until closed").isLessThan(10_000);
                oneEvent();
                check();
            }
            drain();
            assertThat(waiting).isEmpty();
            assertThat(active).isEmpty();
            assertThat(open).isEmpty();
            assertThat(closedCount).isEqualTo(1);
            assertThat(child == null || !child.anyAlive()).isTrue();
        }

        private void oneEvent() {
            switch (random.nextInt(24)) {
                case 0, 1, 2 -> enter();
                case 3, 4, 5, 6 -> leave();
                case 7, 8, 9, 10, 11, 12 -> doOneEffect();
                case 13, 14, 15, 16, 17 -> tellOneNews();
                case 18 -> pass(random.nextInt(500) * 1_000_000L);
                case 19 -> passToDeadline();
                case 20 -> childBecomesReady();
                case 21 -> {
                    if (random.nextInt(4) == 0) {
                        childDies();
                    }
                }
                case 22 -> {
                    if (random.nextInt(10) == 0) {
                        operate();
                    }
                }
                default -> {
                    if (random.nextInt(20) == 0) {
                        machine.setGracePeriod(Duration.ofSeconds(random.nextInt(3)), now);
                    }
                }
            }
        }

        private void enter() {
            Visit visit = new Visit(DEAF, left -> {});
            if (machine.refusal(now) != null) {
                return;
            }
            // Known before the call: the machine may already start, fail or admit within it.
            waiting.add(visit);
            if (machine.enter(visit, now)) {
                assertThat(machine.state()).isEqualTo(SupervisorState.OPENED);
                waiting.remove(visit);
                active.add(visit);
            }
        }

        private void leave() {
            Set<Visit> all = new LinkedHashSet<>(waiting);
            all.addAll(active);
            all.stream()
                    .skip(all.isEmpty() ? 0 : random.nextInt(all.size()))
                    .findFirst()
                    .ifPresent(visit -> {
                        waiting.remove(visit);
                        active.remove(visit);
                        machine.leave(visit, now);
                    });
        }

        private void pass(long nanos) {
            now += nanos;
            machine.tick(now);
        }

        private void passToDeadline() {
            machine.deadline().ifPresent(deadline -> pass(Math.max(0, deadline - now)));
        }

        private void operate() {
            Operation.Kind[] kinds = Operation.Kind.values();
            Operation operation = new Operation(kinds[random.nextInt(kinds.length)]);
            open.add(operation);
            machine.operate(operation, now);
        }

        private void childBecomesReady() {
            if (child != null && child.alive) {
                long attempt = child.attempt;
                news.add(() -> machine.ready(attempt, now));
            }
        }

        private void childDies() {
            if (child != null && child.alive) {
                end(child);
            }
        }

        private void end(Child dead) {
            dead.alive = false;
            news.add(() -> machine.exited(dead.attempt, "1", List.of(), now));
            reportIfGone(dead);
        }

        private void reportIfGone(Child dead) {
            if (dead.watched && !dead.anyAlive()) {
                dead.watched = false;
                news.add(() -> machine.gone(dead.attempt, now));
            }
        }

        private void doOneEffect() {
            Runnable effect = effects.poll();
            if (effect != null) {
                effect.run();
            }
        }

        private void tellOneNews() {
            if (!news.isEmpty()) {
                news.remove(random.nextInt(news.size())).run();
            }
        }

        private void drain() {
            while (!effects.isEmpty() || !news.isEmpty()) {
                doOneEffect();
                tellOneNews();
            }
        }

        private void check() {
            assertThat(machine.waitingCount()).isEqualTo(waiting.size());
            assertThat(machine.activeCount()).isEqualTo(active.size());
            boolean settled = effects.isEmpty() && news.isEmpty();
            boolean alive = child != null && child.anyAlive();
            if (settled) {
                assertThat(machine.state() == SupervisorState.CLOSED)
                        .as("CLOSED if and only if no child")
                        .isEqualTo(!alive);
            }
            if (machine.state() == SupervisorState.CLOSED) {
                assertThat(waiting).as("nobody waits for nothing").isEmpty();
            }
            if (machine.state() != SupervisorState.OPENED) {
                assertThat(active).as("nobody uses what is not open").isEmpty();
            }
        }

        @Override
        public void admit(Visit visit) {
            assertThat(waiting.remove(visit)).isTrue();
            active.add(visit);
        }

        @Override
        public void refuse(Visit visit, ProxyException cause) {
            assertThat(waiting.remove(visit)).isTrue();
        }

        @Override
        public void backendGone(Visit visit, String reason) {
            assertThat(active.remove(visit)).isTrue();
        }

        @Override
        public void spawn(long attempt) {
            effects.add(() -> {
                assertThat(child == null || !child.anyAlive())
                        .as("never two children")
                        .isTrue();
                if (!machine.isStarting(attempt)) {
                    return;
                }
                spawned++;
                if (random.nextInt(10) == 0) {
                    ProxyError error =
                            random.nextBoolean() ? ProxyError.BACKEND_ADDRESS_TAKEN : ProxyError.BACKEND_START_FAILED;
                    news.add(() -> machine.startFailed(attempt, new ProxyException(error, "no"), now));
                } else {
                    child = new Child(attempt);
                    child.ignoresSigterm = random.nextInt(3) == 0;
                }
            });
        }

        @Override
        public void terminate(long attempt) {
            effects.add(() -> signal(attempt, false));
        }

        @Override
        public void kill(long attempt) {
            effects.add(() -> signal(attempt, true));
        }

        private void signal(long attempt, boolean kill) {
            Child target = child;
            if (target == null || target.attempt != attempt) {
                news.add(() -> machine.gone(attempt, now));
                return;
            }
            target.watched = true;
            if (kill || random.nextBoolean()) {
                target.descendantAlive = false;
            }
            if (target.alive && (kill || !target.ignoresSigterm)) {
                end(target);
            } else {
                reportIfGone(target);
            }
        }

        @Override
        public void sweep(long attempt) {
            effects.add(() -> {
                if (child != null && child.attempt == attempt) {
                    child.descendantAlive = false;
                }
            });
        }

        @Override
        public void complete(Operation operation, String result) {
            assertThat(open.remove(operation)).as("answered once").isTrue();
        }

        @Override
        public void stateChanged(SupervisorState from, SupervisorState to, String reason) {
            if (reason.startsWith("no connection")) {
                idleStops++;
                assertThat(machine.waitingCount() + machine.activeCount()).isZero();
                assertThat(machine.facts().held()).isFalse();
            }
            if (from == SupervisorState.OPENED && to == SupervisorState.CLOSED) {
                unexpected++;
            }
        }

        @Override
        public void closed() {
            closedCount++;
        }
    }
}

package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tiproxy.supervisor.SupervisorState.CLOSED;
import static org.tiproxy.supervisor.SupervisorState.OPENED;
import static org.tiproxy.supervisor.SupervisorState.SHUTDOWN;
import static org.tiproxy.supervisor.SupervisorState.STARTING;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

class SupervisorStateMachineTest {
    private static final long SECOND = 1_000_000_000L;
    private static final BackendGate.Visitor NOBODY = new BackendGate.Visitor() {
        @Override
        public void admitted() {}

        @Override
        public void refused(ProxyException cause) {}

        @Override
        public void backendGone(String reason) {}
    };

    /** A machine in some state, with one visitor where the state allows one. */
    private static final class Bench {
        final RecordedEffects effects = new RecordedEffects();
        final SupervisorStateMachine machine;
        Visit visit = new Visit(NOBODY, left -> {});
        long now = Long.MAX_VALUE - 20 * SECOND; // The ticker may overflow while we run.

        Bench(SupervisorConfig config) {
            machine = new SupervisorStateMachine(config, "sample", effects);
        }

        boolean enter() {
            visit = new Visit(NOBODY, left -> {});
            return machine.enter(visit, now);
        }

        void operate(Operation.Kind kind) {
            machine.operate(new Operation(kind), now);
        }

        void pass(long nanos) {
            now += nanos;
            machine.tick(now);
        }

        void ready() {
            machine.ready(machine.attempt(), now);
        }

        void exited(String status) {
            machine.exited(machine.attempt(), status, List.of("bad", "luck"), now);
        }

        void gone() {
            machine.gone(machine.attempt(), now);
        }

        void spawnFailed(ProxyError error) {
            machine.startFailed(machine.attempt(), new ProxyException(error, "no way"), now);
        }

        Bench forget() {
            effects.list.clear();
            effects.results.clear();
            return this;
        }
    }

    private static Bench bench() {
        return new Bench(SupervisorConfigs.sample().build());
    }

    private static Bench starting() {
        Bench bench = bench();
        bench.enter();
        return bench.forget();
    }

    private static Bench opened() {
        Bench bench = starting();
        bench.ready();
        return bench.forget();
    }

    private static Bench idle() {
        Bench bench = opened();
        bench.machine.leave(bench.visit, bench.now);
        return bench.forget();
    }

    private static Bench shutdown() {
        Bench bench = idle();
        bench.pass(30 * SECOND);
        return bench.forget();
    }

    private static Bench backoff() {
        Bench bench = starting();
        bench.exited("3");
        return bench.forget();
    }

    private static Bench held() {
        Bench bench = bench();
        bench.operate(Operation.Kind.HOLD);
        bench.ready();
        return bench.forget();
    }

    private static Bench restarting() {
        Bench bench = opened();
        bench.operate(Operation.Kind.RESTART);
        return bench.forget();
    }

    private static Bench closing() {
        Bench bench = opened();
        bench.machine.close(false, bench.now);
        return bench.forget();
    }

    /** What happens to a bench. */
    private interface Event {
        void to(Bench bench);
    }

    private static Event operator(Operation.Kind kind) {
        return bench -> bench.operate(kind);
    }

    private static Event passes(long seconds) {
        return bench -> bench.pass(seconds * SECOND);
    }

    private static Event close(boolean kill) {
        return bench -> bench.machine.close(kill, bench.now);
    }

    private static Arguments row(String when, Bench from, Event event, SupervisorState to, String effects) {
        return Arguments.of(when, from, event, to, effects);
    }

    static Stream<Arguments> transitions() {
        Event gone = Bench::gone;
        Event exited = bench -> bench.exited("1");
        return Stream.of(
                row("CLOSED enter", bench(), Bench::enter, STARTING, "CLOSED>STARTING spawn"),
                row("CLOSED start", bench(), operator(Operation.Kind.START), STARTING, "CLOSED>STARTING spawn"),
                row("CLOSED restart", bench(), operator(Operation.Kind.RESTART), STARTING, "CLOSED>STARTING spawn"),
                row("CLOSED hold", bench(), operator(Operation.Kind.HOLD), STARTING, "CLOSED>STARTING spawn"),
                row("back-off start", backoff(), operator(Operation.Kind.START), STARTING, "CLOSED>STARTING spawn"),
                row("CLOSED stop", bench(), operator(Operation.Kind.STOP), CLOSED, "complete"),
                row("CLOSED kill", bench(), operator(Operation.Kind.KILL), CLOSED, "complete"),
                row("CLOSED release", bench(), operator(Operation.Kind.RELEASE), CLOSED, "complete"),
                row("CLOSED close", bench(), close(false), CLOSED, "closed"),
                row("CLOSED adopt", bench(), b -> b.machine.adopt(9, SECOND, b.now), STARTING, "CLOSED>STARTING"),
                row("CLOSED discard", bench(), b -> b.machine.discard(9, b.now), SHUTDOWN, "CLOSED>SHUTDOWN terminate"),
                row("CLOSED late ready", bench(), Bench::ready, CLOSED, ""),
                row("STARTING enter", starting(), Bench::enter, STARTING, ""),
                row("STARTING ready", starting(), Bench::ready, OPENED, "STARTING>OPENED admit"),
                row("STARTING exited", starting(), exited, CLOSED, "STARTING>CLOSED refuse sweep"),
                row(
                        "STARTING address taken",
                        starting(),
                        b -> b.spawnFailed(ProxyError.BACKEND_ADDRESS_TAKEN),
                        CLOSED,
                        "STARTING>CLOSED refuse sweep"),
                row("STARTING 9 s", starting(), passes(9), STARTING, ""),
                row("STARTING 10 s", starting(), passes(10), SHUTDOWN, "STARTING>SHUTDOWN kill refuse"),
                row(
                        "STARTING stop",
                        starting(),
                        operator(Operation.Kind.STOP),
                        SHUTDOWN,
                        "refuse STARTING>SHUTDOWN terminate"),
                row(
                        "STARTING kill",
                        starting(),
                        operator(Operation.Kind.KILL),
                        SHUTDOWN,
                        "refuse STARTING>SHUTDOWN kill"),
                row(
                        "STARTING restart",
                        starting(),
                        operator(Operation.Kind.RESTART),
                        SHUTDOWN,
                        "STARTING>SHUTDOWN terminate"),
                row("STARTING start", starting(), operator(Operation.Kind.START), STARTING, ""),
                row("STARTING close", starting(), close(false), SHUTDOWN, "refuse STARTING>SHUTDOWN terminate"),
                row("STARTING gone", starting(), gone, STARTING, ""),
                row("OPENED enter", opened(), Bench::enter, OPENED, ""),
                row("OPENED leave", opened(), b -> b.machine.leave(b.visit, b.now), OPENED, ""),
                row("OPENED in use", opened(), passes(31), OPENED, ""),
                row("OPENED idle 29 s", idle(), passes(29), OPENED, ""),
                row("OPENED idle 30 s", idle(), passes(30), SHUTDOWN, "OPENED>SHUTDOWN terminate"),
                row("OPENED held", held(), passes(31), OPENED, ""),
                row("OPENED exited", opened(), exited, CLOSED, "OPENED>CLOSED gone sweep"),
                row("OPENED start", opened(), operator(Operation.Kind.START), OPENED, "complete"),
                row("OPENED hold", opened(), operator(Operation.Kind.HOLD), OPENED, "complete"),
                row("OPENED release", held(), operator(Operation.Kind.RELEASE), OPENED, "complete"),
                row("OPENED stop", opened(), operator(Operation.Kind.STOP), SHUTDOWN, "OPENED>SHUTDOWN terminate gone"),
                row("OPENED kill", opened(), operator(Operation.Kind.KILL), SHUTDOWN, "OPENED>SHUTDOWN kill gone"),
                row(
                        "OPENED restart",
                        opened(),
                        operator(Operation.Kind.RESTART),
                        SHUTDOWN,
                        "OPENED>SHUTDOWN terminate gone"),
                row("OPENED close", opened(), close(false), SHUTDOWN, "OPENED>SHUTDOWN terminate gone"),
                row("OPENED close and kill", opened(), close(true), SHUTDOWN, "OPENED>SHUTDOWN kill gone"),
                row("SHUTDOWN enter", shutdown(), Bench::enter, SHUTDOWN, ""),
                row("SHUTDOWN exited", shutdown(), exited, SHUTDOWN, ""),
                row("SHUTDOWN gone", shutdown(), gone, CLOSED, "SHUTDOWN>CLOSED"),
                row(
                        "SHUTDOWN enter, gone",
                        shutdown(),
                        b -> {
                            b.enter();
                            b.gone();
                        },
                        STARTING,
                        "SHUTDOWN>STARTING spawn"),
                row("SHUTDOWN 4 s", shutdown(), passes(4), SHUTDOWN, ""),
                row("SHUTDOWN 5 s", shutdown(), passes(5), SHUTDOWN, "kill"),
                row("SHUTDOWN kill", shutdown(), operator(Operation.Kind.KILL), SHUTDOWN, "kill"),
                row(
                        "SHUTDOWN stop, gone",
                        shutdown(),
                        b -> {
                            b.operate(Operation.Kind.STOP);
                            b.gone();
                        },
                        CLOSED,
                        "complete SHUTDOWN>CLOSED"),
                row(
                        "SHUTDOWN start, gone",
                        shutdown(),
                        b -> {
                            b.operate(Operation.Kind.START);
                            b.gone();
                        },
                        STARTING,
                        "SHUTDOWN>STARTING spawn"),
                row("restarting, gone", restarting(), gone, STARTING, "SHUTDOWN>STARTING spawn"),
                row("restarting, stop", restarting(), operator(Operation.Kind.STOP), SHUTDOWN, "complete"),
                row("closing, gone", closing(), gone, CLOSED, "SHUTDOWN>CLOSED closed"),
                row("closing, start", closing(), operator(Operation.Kind.START), SHUTDOWN, "complete"),
                row("closing, kill", closing(), close(true), SHUTDOWN, "kill"));
    }

    @ParameterizedTest(name = "{0} -> {3}: {4}")
    @MethodSource("transitions")
    void transitionTable(String when, Bench bench, Event event, SupervisorState to, String effects) {
        event.to(bench);
        assertThat(bench.machine.state()).isEqualTo(to);
        assertThat(String.join(" ", bench.effects.list)).isEqualTo(effects);
    }

    @Test
    void failedStartsBackOffExponentiallyUntilOneSucceeds() {
        Bench bench = starting();
        for (long seconds : new long[] {1, 2, 4, 8, 8}) {
            bench.exited("3");
            assertThat(bench.machine.refusal(bench.now + seconds * SECOND - 1)).satisfies(refusal -> {
                assertThat(refusal.error()).isEqualTo(ProxyError.BACKEND_START_BACKOFF);
                assertThat(refusal).hasMessageContaining("status 3").hasMessageContaining("bad / luck");
            });
            bench.now += seconds * SECOND;
            assertThat(bench.machine.refusal(bench.now)).isNull();
            bench.enter();
        }
        bench.ready();
        bench.exited("0");
        assertThat(bench.machine.refusal(bench.now)).isNull();
        bench.enter();
        bench.exited("3");
        assertThat(bench.machine.refusal(bench.now + SECOND)).isNull();
    }

    @Test
    void anOccupiedAddressIsTriedAgainByTheNextVisitor() {
        Bench bench = starting();
        bench.spawnFailed(ProxyError.BACKEND_ADDRESS_TAKEN);
        assertThat(bench.machine.refusal(bench.now)).isNull();
    }

    @Test
    void startTimeoutSaysTheNumbers() {
        Bench bench = starting();
        bench.machine.probeFailed(bench.machine.attempt(), "connection refused");
        bench.machine.probeFailed(bench.machine.attempt(), "connection refused");
        bench.pass(10 * SECOND);
        assertThat(bench.effects.refusals.get(0))
                .hasMessageContaining("10.0 s")
                .hasMessageContaining("2 failed TCP probes of 127.0.0.1:3000")
                .hasMessageContaining("connection refused");
    }

    @Test
    void aHeldChildThatDiesIsStartedAgainAfterTheBackoff() {
        Bench bench = held();
        bench.exited("137 (SIGKILL)");
        assertThat(bench.machine.state()).isEqualTo(CLOSED);
        bench.pass(SECOND - 1);
        assertThat(bench.machine.state()).isEqualTo(CLOSED);
        bench.pass(1);
        assertThat(bench.machine.state()).isEqualTo(STARTING);
    }

    @Test
    void aHeldChildThatIsNeverReadyIsStartedAgainAfterTheBackoff() {
        Bench bench = bench();
        bench.operate(Operation.Kind.HOLD);
        bench.pass(10 * SECOND);
        bench.gone();
        assertThat(bench.machine.state()).isEqualTo(CLOSED);
        bench.pass(SECOND);
        assertThat(bench.machine.state()).isEqualTo(STARTING);
    }

    @Test
    void stopEndsAHold() {
        Bench bench = held();
        bench.operate(Operation.Kind.STOP);
        bench.gone();
        assertThat(bench.machine.state()).isEqualTo(CLOSED);
        assertThat(bench.machine.deadline()).isEmpty();
    }

    @Test
    void theLatestWishWinsAndTheEarlierOneIsAnswered() {
        Bench bench = starting();
        bench.operate(Operation.Kind.START);
        bench.operate(Operation.Kind.STOP);
        bench.operate(Operation.Kind.RESTART);
        bench.gone();
        bench.ready();
        assertThat(bench.effects.results)
                .containsExactly(
                        "start: given up: stop was asked for before start had ended",
                        "stop: given up: restart was asked for before stop had ended",
                        "restart: running, ready after 0 ms");
    }

    @Test
    void anIdleCountdownFollowsAChangeOfTheTimeout() {
        Bench bench = idle();
        bench.pass(3 * SECOND);
        bench.machine.setIdleTimeout(SupervisorConfig.NEVER, bench.now);
        assertThat(bench.machine.deadline()).isEmpty();
        bench.machine.setIdleTimeout(Duration.ofSeconds(4), bench.now);
        assertThat(bench.machine.state()).isEqualTo(OPENED);
        bench.machine.setIdleTimeout(Duration.ofSeconds(3), bench.now);
        assertThat(bench.machine.state()).isEqualTo(SHUTDOWN);
    }

    @Test
    void idleTimeoutZeroStopsWithTheLastConnection() {
        Bench bench = opened();
        bench.machine.setIdleTimeout(Duration.ZERO, bench.now);
        bench.machine.leave(bench.visit, bench.now);
        assertThat(bench.machine.state()).isEqualTo(SHUTDOWN);
    }

    @Test
    void idleTimeoutZeroStopsAChildWhoseOnlyWaiterLeft() {
        Bench bench = starting();
        bench.machine.setIdleTimeout(Duration.ZERO, bench.now);
        bench.machine.leave(bench.visit, bench.now);
        bench.ready();
        assertThat(bench.machine.state()).isEqualTo(SHUTDOWN);
    }

    @Test
    void idleTimeoutZeroLeavesAChildStartedByHandUntilItsFirstConnectionCloses() {
        Bench bench = new Bench(SupervisorConfigs.sample().idle(Duration.ZERO).build());
        bench.operate(Operation.Kind.START);
        bench.ready();
        assertThat(bench.machine.state()).isEqualTo(OPENED);
        bench.enter();
        bench.machine.leave(bench.visit, bench.now);
        assertThat(bench.machine.state()).isEqualTo(SHUTDOWN);
    }

    @Test
    void aDeathNamesStatusAndAgeAndCounts() {
        Bench bench = opened();
        bench.pass(12_345_000_000L);
        bench.exited("137 (SIGKILL)");
        assertThat(bench.effects.goneReasons).containsExactly("sample exited with status 137 (SIGKILL) after 12.3 s");
        assertThat(bench.machine.facts().unexpectedExitsTotal()).isEqualTo(1);
        assertThat(bench.machine.activeCount()).isZero();
    }

    @Test
    void nobodyEntersAfterClose() {
        Bench bench = bench();
        bench.machine.close(false, bench.now);
        assertThat(bench.machine.refusal(bench.now))
                .extracting(ProxyException::error)
                .isEqualTo(ProxyError.SHUTTING_DOWN);
    }
}

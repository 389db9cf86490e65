package org.tiproxy.supervisor;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.Ticker;
import org.tiproxy.error.ProxyException;

/**
 * Starts the backend as a child process when the first visitor comes and stops it when the last one has been gone for
 * the idle timeout. {@link SupervisorStateMachine} decides, with the transition table in its Javadoc; this class gives it
 * events one at a time and has its decisions carried out, in order, by {@link ChildKeeper}.
 *
 * <h2>Threads</h2>
 *
 * <p>Every method may be called on any thread. The lock behind them is held for a decision only, never during I/O or a
 * call to anybody else. Who calls what:
 *
 * <ul>
 *   <li>{@link #enter} calls {@code admitted} before it returns, on the caller's thread, if the child is ready, and
 *       {@code refused} in the same way if nobody may enter.
 *   <li>The thread {@code tiproxy-supervisor} calls everything else: {@code admitted} and {@code refused} for those that
 *       waited, {@code backendGone}, listeners, and what depends on the futures of operations. What it calls must not
 *       block.
 *   <li>{@code backendGone} comes at most once, after {@code admitted} has returned, and then on the thread that called
 *       {@code admitted} if that call was still under way. From then on the visitor counts as active no more, whether
 *       its ticket is closed or not.
 *   <li>After a ticket was closed only a call that was already under way may still arrive.
 *   <li>A visitor that throws loses its place.
 * </ul>
 *
 * <h2>The end</h2>
 *
 * <p>{@link #close()} ends the child; {@link #killNow()} is for shutdown hooks and second signals. If the JVM is killed
 * with SIGKILL, the child runs on and the next supervisor with the same state directory, address and command takes it
 * over; with another command it stops it.
 */
public final class ProcessSupervisor implements BackendGate, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProcessSupervisor.class);
    private static final Ticket NO_TICKET = () -> {};
    private static final Duration KILL_MARGIN = Duration.ofSeconds(3);

    private final ChildCommand command;
    private final SupervisorLoop loop;

    private ProcessSupervisor(SupervisorConfig config, StateDirectory directory) {
        this.command = new ChildCommand(config);
        this.loop = new SupervisorLoop(config, command, directory, Ticker.SYSTEM);
    }

    /**
     * A supervisor without a child, or with the one that an earlier proxy left running.
     *
     * @throws ProxyException if another proxy supervises the same address, or the state directory cannot be used
     * @throws IllegalArgumentException if the configuration is impossible; says why
     */
    public static ProcessSupervisor open(SupervisorConfig config) throws ProxyException {
        requireNotNegative("idle timeout", config.idleTimeout());
        requirePositive("start timeout", config.startTimeout());
        requirePositive("readiness interval", config.readyInterval());
        requireNotNegative("grace period", config.gracePeriod());
        requireNotNegative("smallest back-off", config.minBackoff());
        requireNotNegative("largest back-off", config.maxBackoff());
        ReadinessProbe.of(config);
        StateDirectory directory = StateDirectory.open(config.stateDirectory(), config.address());
        ProcessSupervisor supervisor;
        try {
            supervisor = new ProcessSupervisor(config, directory);
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
        supervisor.loop.start();
        return supervisor;
    }

    // ---- the gate ----

    @Override
    public Ticket enter(Visitor visitor) {
        Visit visit = new Visit(visitor, loop::leave);
        return loop.enter(visit) ? visit : NO_TICKET;
    }

    @Override
    public boolean tellsWhyBackendsGo() {
        return true;
    }

    // ---- operations ----

    /** Starts the child, whatever the back-off says. Completes when it is ready or has failed, with a sentence. */
    public CompletableFuture<String> start() {
        return operate(Operation.Kind.START);
    }

    /**
     * Stops the child, though it be in use: its visitors lose it. Ends a {@link #hold}. Completes when it is gone, with
     * a sentence. The next visitor starts it again.
     */
    public CompletableFuture<String> stop() {
        return operate(Operation.Kind.STOP);
    }

    /** Stops the child and starts it again; those that wait go on waiting. Completes when it is ready or has failed. */
    public CompletableFuture<String> restart() {
        return operate(Operation.Kind.RESTART);
    }

    /** {@link #stop} with SIGKILL. */
    public CompletableFuture<String> kill() {
        return operate(Operation.Kind.KILL);
    }

    /**
     * Keeps the child warm, or no longer: a held child is started now, not stopped when idle, and started again, after
     * the back-off, if it dies. Completes when it is ready or has failed (it is then tried again), or at once for {@code
     * false}.
     */
    public CompletableFuture<String> hold(boolean hold) {
        return operate(hold ? Operation.Kind.HOLD : Operation.Kind.RELEASE);
    }

    /**
     * Of overlapping operations the latest wins; the future of the earlier one completes with a sentence that says so.
     */
    private CompletableFuture<String> operate(Operation.Kind kind) {
        Operation operation = new Operation(kind);
        loop.dispatch((machine, now) -> machine.operate(operation, now));
        if (loop.isClosed()) {
            // Nobody carries out effects any more.
            operation.result().complete("nothing done: the proxy has stopped");
        }
        return operation.result();
    }

    // ---- the end ----

    /** Stops the child with the configured grace period and waits until it is gone. */
    @Override
    public void close() {
        close(gracePeriod());
    }

    /**
     * Stops the child and waits until it and its descendants are gone. Nobody may enter any more. Does not wait when it
     * is called on the supervisor's own thread. Idempotent.
     *
     * @param grace how long after SIGTERM what still runs is killed with SIGKILL
     */
    public void close(Duration grace) {
        requireNotNegative("grace period", grace);
        loop.dispatch((machine, now) -> {
            machine.setGracePeriod(grace, now);
            machine.close(false, now);
        });
        try {
            long limit = Elapsed.nanos(grace) + KILL_MARGIN.toNanos();
            if (!loop.awaitClosed(limit)) {
                log.warn("{} still runs {} after SIGTERM, pid {}", command, Elapsed.text(limit), pid());
            }
        } catch (InterruptedException e) {
            // Whoever interrupts us is in a hurry.
            Thread.currentThread().interrupt();
            killNow();
        }
    }

    /**
     * Kills the child and its descendants with SIGKILL, also one that is being spawned at this moment, and returns when
     * they are gone, after about 2 s at the latest. Nobody may enter any more and nothing is spawned any more. For
     * shutdown hooks and second signals; idempotent, and safe in any state.
     */
    public void killNow() {
        if (!loop.isClosed()) {
            loop.killNow();
        }
    }

    // ---- management ----

    /** The state. */
    public SupervisorState state() {
        return loop.facts().state();
    }

    /** The child's pid; 0 without one. */
    public long pid() {
        return loop.keeper().pid();
    }

    /** Visitors that use the child. */
    public int activeConnections() {
        return loop.activeConnections();
    }

    /** Visitors that wait for the child. */
    public int waitingConnections() {
        return loop.waitingConnections();
    }

    /** When the state or the number of visitors changed last. */
    public Instant lastChangeTime() {
        return loop.lastChangeTime();
    }

    /** How often the child was started, successfully or not. */
    public long startsTotal() {
        return loop.facts().startsTotal();
    }

    /** How many of the starts failed. */
    public long startFailuresTotal() {
        return loop.facts().startFailuresTotal();
    }

    /** How often the child ended by itself after it was ready. */
    public long unexpectedExitsTotal() {
        return loop.facts().unexpectedExitsTotal();
    }

    /** How the last child ended, such as {@code 0} or {@code 137 (SIGKILL)}; empty before that. */
    public String lastExitStatus() {
        return loop.facts().lastExitStatus();
    }

    /** The last failed start or unexpected end, with its reason; empty before that. */
    public String lastError() {
        return loop.facts().lastError();
    }

    /** How long the last successful start took from spawn to readiness, in milliseconds; 0 before that. */
    public long lastStartMillis() {
        return TimeUnit.NANOSECONDS.toMillis(loop.facts().lastStartNanos());
    }

    /** How long the child has been running, in milliseconds; 0 without one. */
    public long uptimeMillis() {
        return TimeUnit.NANOSECONDS.toMillis(loop.keeper().uptime());
    }

    /** The command, without what looks like a password. */
    public String command() {
        return command.toString();
    }

    /** The last 200 lines at most that the child has written, oldest first. */
    public List<String> outputTail() {
        return loop.keeper().outputTail();
    }

    /** True while the child is kept warm. */
    public boolean held() {
        return loop.facts().held();
    }

    /** How long after the last visitor left the child is stopped; {@link SupervisorConfig#NEVER} for never. */
    public Duration idleTimeout() {
        return loop.facts().idleTimeout();
    }

    /**
     * Changes the idle timeout; a countdown that is under way follows at once.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public void setIdleTimeout(Duration timeout) {
        requireNotNegative("idle timeout", timeout);
        loop.dispatch((machine, now) -> machine.setIdleTimeout(timeout, now));
    }

    /** How long the child may take to become ready. */
    public Duration startTimeout() {
        return loop.facts().startTimeout();
    }

    /**
     * Changes the start timeout, also for a start that is under way.
     *
     * @throws IllegalArgumentException if it is zero or negative
     */
    public void setStartTimeout(Duration timeout) {
        requirePositive("start timeout", timeout);
        requireBounded("start timeout", timeout);
        loop.dispatch((machine, now) -> machine.setStartTimeout(timeout, now));
    }

    /** How long after SIGTERM the child is killed with SIGKILL. */
    public Duration gracePeriod() {
        return loop.facts().gracePeriod();
    }

    /**
     * Changes the grace period, also for a stop that is under way.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public void setGracePeriod(Duration period) {
        requireNotNegative("grace period", period);
        requireBounded("grace period", period);
        loop.dispatch((machine, now) -> machine.setGracePeriod(period, now));
    }

    /** Adds a listener for state changes; a change that is under way may be missed. */
    public void addListener(SupervisorListener listener) {
        loop.listeners().add(listener);
    }

    /** Removes a listener. */
    public void removeListener(SupervisorListener listener) {
        loop.listeners().remove(listener);
    }

    /** No start and no stop takes longer, and sums of a few of these fit everywhere. */
    private static final Duration LONGEST = Duration.ofDays(365);

    private static void requireNotNegative(String what, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException("the " + what + " cannot be negative: " + value);
        }
    }

    private static void requireBounded(String what, Duration value) {
        if (value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("the " + what + " cannot be longer than 365 days: " + value);
        }
    }

    private static void requirePositive(String what, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException("the " + what + " must be longer than zero: " + value);
        }
    }
}

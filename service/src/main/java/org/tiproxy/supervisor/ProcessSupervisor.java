package org.tiproxy.supervisor;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
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

    private final SupervisorConfig config;
    private final ChildCommand command;
    private final Ticker ticker;
    private final ChildKeeper keeper;
    private final UsageLog usage;
    private final List<SupervisorListener> listeners = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    /** Guards the machine, the effects and what says when the thread has to wake up. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition work = lock.newCondition();
    private final SupervisorStateMachine machine;
    private final Deque<Runnable> effects = new ArrayDeque<>();
    private boolean woken;
    private long wakeAt;

    private volatile SupervisorStateMachine.Facts facts;
    private volatile int activeConnections;
    private volatile int waitingConnections;
    private volatile long lastChangeMillis = System.currentTimeMillis();
    private long publishedRevision;

    /** Of the thread only. */
    private boolean ended;

    private ProcessSupervisor(SupervisorConfig config, StateDirectory directory, Ticker ticker) {
        this.config = config;
        this.ticker = ticker;
        this.command = new ChildCommand(config);
        this.machine = new SupervisorStateMachine(config, command.toString(), new QueuedEffects());
        this.keeper = new ChildKeeper(config, command, directory, ticker, new KeeperNews());
        this.facts = machine.facts();
        this.usage = new UsageLog(config.address(), Instant.ofEpochMilli(lastChangeMillis), ticker.nanoTime());
        this.thread = new Thread(this::run, "tiproxy-supervisor");
        thread.setDaemon(true);
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
            supervisor = new ProcessSupervisor(config, directory, Ticker.SYSTEM);
        } catch (RuntimeException e) {
            directory.close();
            throw e;
        }
        supervisor.takeOver();
        supervisor.thread.start();
        return supervisor;
    }

    private void takeOver() {
        Optional<ChildKeeper.Former> found = keeper.findFormer();
        if (found.isEmpty()) {
            return;
        }
        ChildKeeper.Former former = found.get();
        long pid = former.leader().pid();
        dispatch(now -> {
            if (former.sameCommand()) {
                machine.adopt(pid, ChildKeeper.age(former), now);
            } else {
                machine.discard(pid, now);
            }
        });
        keeper.adopt(machine.attempt(), former);
    }

    // ---- the gate ----

    @Override
    public Ticket enter(Visitor visitor) {
        Visit visit = new Visit(visitor, this::leave);
        ProxyException refusal;
        boolean admitted = false;
        lock.lock();
        try {
            long now = ticker.nanoTime();
            refusal = machine.refusal(now);
            if (refusal == null) {
                admitted = machine.enter(visit, now);
                visitorsChanged();
            }
        } finally {
            lock.unlock();
        }
        if (refusal != null) {
            visit.refuse(refusal);
            return NO_TICKET;
        }
        if (admitted) {
            visit.admit();
        }
        return visit;
    }

    private void leave(Visit visit) {
        lock.lock();
        try {
            machine.leave(visit, ticker.nanoTime());
            visitorsChanged();
        } finally {
            lock.unlock();
        }
    }

    private void visitorsChanged() {
        lastChangeMillis = System.currentTimeMillis();
        publish();
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
        if (closed.getCount() == 0) {
            operation.result().complete("nothing done: the proxy has stopped");
        } else {
            dispatch(now -> machine.operate(operation, now));
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
        dispatch(now -> {
            machine.setGracePeriod(grace, now);
            machine.close(false, now);
        });
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            long limit = Elapsed.nanos(grace) + KILL_MARGIN.toNanos();
            if (!closed.await(limit, TimeUnit.NANOSECONDS)) {
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
        if (closed.getCount() == 0) {
            return;
        }
        try {
            dispatch(now -> machine.close(true, now));
        } finally {
            // Not left to the thread, which may be about to spawn, or be the one that has failed.
            keeper.killForGood();
        }
    }

    // ---- management ----

    /** The state. */
    public SupervisorState state() {
        return facts.state();
    }

    /** The child's pid; 0 without one. */
    public long pid() {
        return keeper.pid();
    }

    /** Visitors that use the child. */
    public int activeConnections() {
        return activeConnections;
    }

    /** Visitors that wait for the child. */
    public int waitingConnections() {
        return waitingConnections;
    }

    /** When the state or the number of visitors changed last. */
    public Instant lastChangeTime() {
        return Instant.ofEpochMilli(lastChangeMillis);
    }

    /** How often the child was started, successfully or not. */
    public long startsTotal() {
        return facts.startsTotal();
    }

    /** How many of the starts failed. */
    public long startFailuresTotal() {
        return facts.startFailuresTotal();
    }

    /** How often the child ended by itself after it was ready. */
    public long unexpectedExitsTotal() {
        return facts.unexpectedExitsTotal();
    }

    /** How the last child ended, such as {@code 0} or {@code 137 (SIGKILL)}; empty before that. */
    public String lastExitStatus() {
        return facts.lastExitStatus();
    }

    /** The last failed start or unexpected end, with its reason; empty before that. */
    public String lastError() {
        return facts.lastError();
    }

    /** How long the last successful start took from spawn to readiness, in milliseconds; 0 before that. */
    public long lastStartMillis() {
        return TimeUnit.NANOSECONDS.toMillis(facts.lastStartNanos());
    }

    /** How long the child has been running, in milliseconds; 0 without one. */
    public long uptimeMillis() {
        return TimeUnit.NANOSECONDS.toMillis(keeper.uptime());
    }

    /** The command, without what looks like a password. */
    public String command() {
        return command.toString();
    }

    /** The last 200 lines at most that the child has written, oldest first. */
    public List<String> outputTail() {
        return keeper.outputTail();
    }

    /** True while the child is kept warm. */
    public boolean held() {
        return facts.held();
    }

    /** How long after the last visitor left the child is stopped; {@link SupervisorConfig#NEVER} for never. */
    public Duration idleTimeout() {
        return facts.idleTimeout();
    }

    /**
     * Changes the idle timeout; a countdown that is under way follows at once.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public void setIdleTimeout(Duration timeout) {
        requireNotNegative("idle timeout", timeout);
        dispatch(now -> machine.setIdleTimeout(timeout, now));
    }

    /** How long the child may take to become ready. */
    public Duration startTimeout() {
        return facts.startTimeout();
    }

    /**
     * Changes the start timeout, also for a start that is under way.
     *
     * @throws IllegalArgumentException if it is zero or negative
     */
    public void setStartTimeout(Duration timeout) {
        requirePositive("start timeout", timeout);
        dispatch(now -> machine.setStartTimeout(timeout, now));
    }

    /** How long after SIGTERM the child is killed with SIGKILL. */
    public Duration gracePeriod() {
        return facts.gracePeriod();
    }

    /**
     * Changes the grace period, also for a stop that is under way.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public void setGracePeriod(Duration period) {
        requireNotNegative("grace period", period);
        dispatch(now -> machine.setGracePeriod(period, now));
    }

    /** Adds a listener for state changes; a change that is under way may be missed. */
    public void addListener(SupervisorListener listener) {
        listeners.add(listener);
    }

    /** Removes a listener. */
    public void removeListener(SupervisorListener listener) {
        listeners.remove(listener);
    }

    private static void requireNotNegative(String what, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException("the " + what + " cannot be negative: " + value);
        }
    }

    private static void requirePositive(String what, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException("the " + what + " must be longer than zero: " + value);
        }
    }

    // ---- events in, effects out ----

    /** Something that the machine must decide upon. */
    private interface Event {
        void at(long now);
    }

    private void dispatch(Event event) {
        lock.lock();
        try {
            event.at(ticker.nanoTime());
            publish();
        } finally {
            lock.unlock();
        }
    }

    /** Shows the outcome of an event, and wakes the thread if there is something to do earlier than it expects. */
    private void publish() {
        activeConnections = machine.activeCount();
        waitingConnections = machine.waitingCount();
        if (publishedRevision != machine.revision()) {
            publishedRevision = machine.revision();
            facts = machine.facts();
        }
        OptionalLong deadline = machine.deadline();
        if (!effects.isEmpty() || (deadline.isPresent() && deadline.getAsLong() - wakeAt < 0)) {
            work.signal();
        }
    }

    private void run() {
        try {
            while (!ended) {
                Runnable effect = nextEffect();
                if (effect != null) {
                    carryOut(effect);
                }
                carryOut(() -> keeper.poll(ticker.nanoTime()));
                usage.log(state(), activeConnections, waitingConnections, lastChangeTime(), ticker.nanoTime());
            }
        } catch (InterruptedException | Error e) {
            log.error("A defect ended the supervisor: the child is killed and nobody is served any more", e);
            killNow();
        } finally {
            keeper.close();
            closed.countDown();
        }
    }

    /** Sleeps until there is something to do; null if it is only {@link #run}'s own business. */
    private @Nullable Runnable nextEffect() throws InterruptedException {
        lock.lock();
        try {
            while (true) {
                long now = ticker.nanoTime();
                machine.tick(now);
                publish();
                long ownBusiness = earliest(usage.nextAt(), keeper.nextPoll());
                if (!effects.isEmpty() || woken || now - ownBusiness >= 0) {
                    woken = false;
                    return effects.poll();
                }
                wakeAt = earliest(ownBusiness, machine.deadline());
                work.awaitNanos(wakeAt - now);
            }
        } finally {
            lock.unlock();
        }
    }

    private static long earliest(long one, OptionalLong other) {
        return other.isPresent() && other.getAsLong() - one < 0 ? other.getAsLong() : one;
    }

    private static void carryOut(Runnable effect) {
        try {
            effect.run();
        } catch (RuntimeException e) {
            log.error("A defect: the supervisor goes on without what it was about to do", e);
        }
    }

    private void tell(StateChange change) {
        log.info("Backend {}: {} -> {} ({})", config.address(), change.from(), change.to(), change.reason());
        for (SupervisorListener listener : listeners) {
            carryOut(() -> listener.stateChanged(change));
        }
    }

    /** Takes notes under the lock; the thread carries them out. */
    private final class QueuedEffects implements SupervisorEffects {
        @Override
        public void admit(Visit visit) {
            effects.add(visit::admit);
        }

        @Override
        public void refuse(Visit visit, ProxyException cause) {
            effects.add(() -> visit.refuse(cause));
        }

        @Override
        public void backendGone(Visit visit, String reason) {
            effects.add(() -> visit.backendGone(reason));
        }

        @Override
        public void spawn(long attempt) {
            effects.add(() -> keeper.spawn(attempt));
        }

        @Override
        public void terminate(long attempt) {
            effects.add(() -> keeper.stop(attempt, false));
        }

        @Override
        public void kill(long attempt) {
            effects.add(() -> keeper.stop(attempt, true));
        }

        @Override
        public void sweep(long attempt) {
            effects.add(() -> keeper.sweep(attempt));
        }

        @Override
        public void complete(Operation operation, String result) {
            effects.add(() -> operation.result().complete(result));
        }

        @Override
        public void stateChanged(SupervisorState from, SupervisorState to, String reason) {
            lastChangeMillis = System.currentTimeMillis();
            StateChange change = new StateChange(from, to, reason, Instant.ofEpochMilli(lastChangeMillis));
            effects.add(() -> tell(change));
        }

        @Override
        public void closed() {
            effects.add(() -> ended = true);
        }
    }

    /** News about the child becomes events. */
    private final class KeeperNews implements ChildKeeper.News {
        @Override
        public boolean isStarting(long attempt) {
            lock.lock();
            try {
                return machine.isStarting(attempt);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void ready(long attempt) {
            dispatch(now -> machine.ready(attempt, now));
        }

        @Override
        public void probeFailed(long attempt, String why) {
            dispatch(now -> machine.probeFailed(attempt, why));
        }

        @Override
        public void startFailed(long attempt, ProxyException cause) {
            dispatch(now -> machine.startFailed(attempt, cause, now));
        }

        @Override
        public void exited(long attempt, String status, List<String> lastLines) {
            dispatch(now -> machine.exited(attempt, status, lastLines, now));
        }

        @Override
        public void gone(long attempt) {
            dispatch(now -> machine.gone(attempt, now));
        }

        @Override
        public void wake() {
            lock.lock();
            try {
                woken = true;
                work.signal();
            } finally {
                lock.unlock();
            }
        }
    }
}

package org.tiproxy.supervisor;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.Ticker;
import org.tiproxy.error.ProxyException;

/**
 * Gives the state machine its events, one at a time and on whatever thread they occur, and carries out its decisions, in
 * order, on one daemon thread. The lock is held for a decision only, never during I/O or a call to anybody else.
 */
final class SupervisorLoop {
    private static final Logger log = LoggerFactory.getLogger(SupervisorLoop.class);

    private final SupervisorConfig config;
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
    private long publishedRevision;

    private volatile SupervisorStateMachine.Facts facts;
    private volatile int activeConnections;
    private volatile int waitingConnections;
    private volatile long lastChangeMillis = System.currentTimeMillis();

    /** Of the thread only. */
    private boolean ended;

    /** A loop that does nothing before {@link #start}. */
    SupervisorLoop(SupervisorConfig config, ChildCommand command, StateDirectory directory, Ticker ticker) {
        this.config = config;
        this.ticker = ticker;
        this.machine = new SupervisorStateMachine(config, command.toString(), new QueuedEffects());
        this.keeper = new ChildKeeper(config, command, directory, ticker, new KeeperNews());
        this.facts = machine.facts();
        this.usage = new UsageLog(config.address(), Instant.ofEpochMilli(lastChangeMillis), ticker.nanoTime());
        this.thread = new Thread(this::run, "tiproxy-supervisor");
        thread.setDaemon(true);
    }

    /** Takes over the child of an earlier proxy, if there is one, and starts the thread. */
    void start() {
        keeper.findFormer().ifPresent(this::takeOver);
        thread.start();
    }

    private void takeOver(ChildKeeper.Former former) {
        long pid = former.leader().pid();
        dispatch((to, now) -> {
            if (former.sameCommand()) {
                to.adopt(pid, ChildKeeper.age(former), now);
            } else {
                to.discard(pid, now);
            }
        });
        keeper.adopt(machine.attempt(), former);
    }

    // ---- events in ----

    /** Something that the machine must decide upon. */
    interface Event {
        void tell(SupervisorStateMachine machine, long now);
    }

    /** Tells the machine. */
    void dispatch(Event event) {
        lock.lock();
        try {
            event.tell(machine, ticker.nanoTime());
            publish();
        } finally {
            lock.unlock();
        }
    }

    /** Lets {@code visit} in, makes it wait, or refuses it; false if it was refused. */
    boolean enter(Visit visit) {
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
        } else if (admitted) {
            visit.admit();
        }
        return refusal == null;
    }

    void leave(Visit visit) {
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

    /** Kills the child and everything that might become one; see {@link ProcessSupervisor#killNow}. */
    void killNow() {
        try {
            dispatch((to, now) -> to.close(true, now));
        } finally {
            // Not left to the thread, which may be about to spawn, or be the one that has failed.
            keeper.killForGood();
        }
    }

    // ---- what others may know ----

    ChildKeeper keeper() {
        return keeper;
    }

    SupervisorStateMachine.Facts facts() {
        return facts;
    }

    int activeConnections() {
        return activeConnections;
    }

    int waitingConnections() {
        return waitingConnections;
    }

    Instant lastChangeTime() {
        return Instant.ofEpochMilli(lastChangeMillis);
    }

    List<SupervisorListener> listeners() {
        return listeners;
    }

    /** True once nothing will happen any more. */
    boolean isClosed() {
        return closed.getCount() == 0;
    }

    /** Waits until nothing will happen any more; false if that takes longer. At once on the loop's own thread. */
    boolean awaitClosed(long nanos) throws InterruptedException {
        return Thread.currentThread() == thread || closed.await(nanos, TimeUnit.NANOSECONDS);
    }

    // ---- effects out ----

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
                usage.log(facts.state(), activeConnections, waitingConnections, lastChangeTime(), ticker.nanoTime());
            }
        } catch (InterruptedException | Error e) {
            log.error("A defect ended the supervisor: the child is killed and nobody is served any more", e);
            killNow();
        } finally {
            keeper.close();
            closed.countDown();
            answerLatecomers();
        }
    }

    /** What was decided while the thread ended; whoever comes later sees that it has. */
    private void answerLatecomers() {
        List<Runnable> late;
        lock.lock();
        try {
            late = List.copyOf(effects);
            effects.clear();
        } finally {
            lock.unlock();
        }
        late.forEach(SupervisorLoop::carryOut);
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
        public void warn(String what) {
            effects.add(() -> log.warn("Backend {}: {}", config.address(), what));
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
            dispatch((to, now) -> to.ready(attempt, now));
        }

        @Override
        public void probeFailed(long attempt, String why) {
            dispatch((to, now) -> to.probeFailed(attempt, why));
        }

        @Override
        public void startFailed(long attempt, ProxyException cause) {
            dispatch((to, now) -> to.startFailed(attempt, cause, now));
        }

        @Override
        public void exited(long attempt, String status, List<String> lastLines) {
            dispatch((to, now) -> to.exited(attempt, status, lastLines, now));
        }

        @Override
        public void gone(long attempt) {
            dispatch((to, now) -> to.gone(attempt, now));
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

package org.tiproxy.engine;

import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * The proxy's states and the operations that change them.
 *
 * <pre>
 * from      start     pause     resume    drain      stop
 * STARTING  RUNNING   -         -         -          STOPPED
 * RUNNING   -         PAUSED    (same)    DRAINING   STOPPED
 * PAUSED    -         (same)    RUNNING   DRAINING   STOPPED
 * DRAINING  -         -         RUNNING   (same)     STOPPED
 * STOPPED   -         -         -         -          (same)
 * </pre>
 *
 * <p>"-" is refused with a sentence. Operations run one at a time; of two that overlap the later one wins: a resume ends
 * a drain that still waits, and a second drain replaces the first one's deadline. Only a stop is final.
 *
 * <p>Thread-safe. {@link #state} never blocks; the operations wait for the listening socket at most.
 */
public final class ProxyLifecycle {
    private static final Logger log = LoggerFactory.getLogger(ProxyLifecycle.class);

    private static final long CLOSE_AGAIN_MILLIS = 100;

    private static final Map<ProxyState, Set<ProxyState>> TRANSITIONS = new EnumMap<>(Map.of(
            ProxyState.STARTING, EnumSet.of(ProxyState.RUNNING, ProxyState.STOPPED),
            ProxyState.RUNNING, EnumSet.of(ProxyState.PAUSED, ProxyState.DRAINING, ProxyState.STOPPED),
            ProxyState.PAUSED, EnumSet.of(ProxyState.RUNNING, ProxyState.DRAINING, ProxyState.STOPPED),
            ProxyState.DRAINING, EnumSet.of(ProxyState.RUNNING, ProxyState.STOPPED),
            ProxyState.STOPPED, EnumSet.noneOf(ProxyState.class)));

    private final Listener listener;
    private final SessionRegistry sessions;
    private final ScheduledExecutorService timer;
    private volatile ProxyState state = ProxyState.STARTING;
    private @Nullable Drain drain;
    private boolean stopping;

    /** A life cycle in STARTING. */
    public ProxyLifecycle(Listener listener, SessionRegistry sessions, ScheduledExecutorService timer) {
        this.listener = listener;
        this.sessions = sessions;
        this.timer = timer;
    }

    /** The state now. */
    public ProxyState state() {
        return state;
    }

    /**
     * Begins to listen.
     *
     * @throws ProxyException if the address cannot be bound; the state stays STARTING
     */
    public synchronized void start() throws ProxyException {
        require("start", ProxyState.RUNNING);
        listener.open();
        moveTo(ProxyState.RUNNING);
    }

    /** Leaves new clients in the operating system's queue until {@link #resume}. */
    public synchronized String pause() {
        if (state == ProxyState.PAUSED) {
            return "already paused";
        }
        require("pause", ProxyState.PAUSED);
        listener.accept(false);
        moveTo(ProxyState.PAUSED);
        return "paused: new clients wait, " + sessions.active() + " open connections go on";
    }

    /**
     * Accepts again after a pause or drain.
     *
     * @throws ProxyException if a drain had closed the listening socket and the address cannot be bound again
     */
    public synchronized String resume() throws ProxyException {
        if (state == ProxyState.RUNNING) {
            return "already running";
        }
        require("resume", ProxyState.RUNNING);
        if (stopping) {
            throw new IllegalStateException("resume is not possible any more: the proxy is stopping");
        }
        if (state == ProxyState.DRAINING) {
            listener.open();
            endDrain("ended by resume with " + sessions.active() + " connections open");
            sessions.sessions().forEach(ProxySession::cancelDrain);
        } else {
            listener.accept(true);
        }
        moveTo(ProxyState.RUNNING);
        return "running";
    }

    /**
     * Stops listening, lets the open connections finish, which ends those that can be seen to be idle, and closes what is
     * left after {@code patience}.
     *
     * @return completes with a sentence once no connection is left, or when another operation ended the drain
     */
    public CompletableFuture<String> drain(Duration patience) {
        CompletableFuture<String> result;
        synchronized (this) {
            if (state != ProxyState.DRAINING) {
                require("drain", ProxyState.DRAINING);
                listener.close();
                moveTo(ProxyState.DRAINING);
            }
            endDrain("replaced by another drain with " + sessions.active() + " connections open");
            Drain current = new Drain(sessions.active(), patience);
            drain = current;
            result = current.result;
        }
        return result;
    }

    /** Drains and ends for good. Idempotent. */
    public CompletableFuture<String> stop(Duration patience) {
        synchronized (this) {
            if (state == ProxyState.STOPPED) {
                return CompletableFuture.completedFuture("already stopped");
            }
            if (state == ProxyState.STARTING) {
                moveTo(ProxyState.STOPPED);
                return CompletableFuture.completedFuture("stopped before it started");
            }
            stopping = true;
        }
        // On the timer: the last connection ends on an event loop, which must not wait for an operation's monitor.
        return drain(patience)
                .thenApplyAsync(
                        result -> {
                            synchronized (this) {
                                if (state == ProxyState.DRAINING) {
                                    moveTo(ProxyState.STOPPED);
                                }
                            }
                            return result;
                        },
                        timer);
    }

    private void endDrain(String why) {
        Drain current = drain;
        if (current != null) {
            drain = null;
            // Not under the monitor: whoever waits may do anything next.
            timer.execute(() -> current.result.complete(why));
        }
    }

    private void require(String operation, ProxyState target) {
        if (!allowed(state, target)) {
            throw new IllegalStateException(
                    operation + " is not possible while the proxy is " + state + " (it would become " + target + ")");
        }
    }

    static boolean allowed(ProxyState from, ProxyState to) {
        return TRANSITIONS.getOrDefault(from, Set.of()).contains(to);
    }

    private void moveTo(ProxyState next) {
        ProxyState previous = state;
        if (!allowed(previous, next)) {
            throw new IllegalStateException("no transition from " + previous + " to " + next);
        }
        state = next;
        log.info("proxy {}: {} -> {}", listener.address(), previous, next);
    }

    /** One wait for the connections to finish. */
    private final class Drain {
        private final int atStart;
        private final CompletableFuture<String> result = new CompletableFuture<>();
        private volatile int closed;

        Drain(int atStart, Duration patience) {
            this.atStart = atStart;
            var deadline = timer.schedule(() -> closeRest(patience), patience.toMillis(), TimeUnit.MILLISECONDS);
            sessions.whenEmpty().thenRun(() -> result.complete(outcome(patience)));
            result.whenComplete((outcome, failure) -> deadline.cancel(false));
            // Again a little later: one may have been admitted and not listed yet.
            timer.execute(this::drainSessions);
            timer.schedule(this::drainSessions, CLOSE_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        }

        private void drainSessions() {
            // Under the monitor, so that a resume which takes this back comes before or after all of it.
            synchronized (ProxyLifecycle.this) {
                if (drain == this) {
                    sessions.sessions().forEach(ProxySession::drain);
                }
            }
        }

        private void closeRest(Duration patience) {
            synchronized (ProxyLifecycle.this) {
                if (drain != this) {
                    return;
                }
            }
            closed = Math.max(closed, sessions.active());
            String reason = "still open " + patience.toMillis() + " ms after the proxy began to drain";
            for (ProxySession session : sessions.sessions()) {
                session.close(ProxyError.SHUTTING_DOWN, reason);
            }
            if (!result.isDone()) {
                // One may have been admitted and not listed yet.
                timer.schedule(() -> closeRest(patience), CLOSE_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
            }
        }

        private String outcome(Duration patience) {
            String finished = "drained: " + Math.max(0, atStart - closed) + " connections finished";
            return closed == 0
                    ? finished
                    : finished + ", " + closed + " were closed after " + patience.toMillis() + " ms";
        }
    }
}

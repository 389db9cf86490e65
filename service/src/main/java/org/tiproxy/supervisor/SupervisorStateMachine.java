package org.tiproxy.supervisor;

import static org.tiproxy.supervisor.SupervisorState.CLOSED;
import static org.tiproxy.supervisor.SupervisorState.OPENED;
import static org.tiproxy.supervisor.SupervisorState.SHUTDOWN;
import static org.tiproxy.supervisor.SupervisorState.STARTING;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * Decides when the child is started and stopped and what its visitors hear. No threads, no I/O, no clock: events and the
 * time come in as arguments, effects go out to {@link SupervisorEffects}. Not thread-safe.
 *
 * <pre>
 * from      event                                  to        effects
 * --------  -------------------------------------  --------  ------------------------------------------------------
 * CLOSED    enter                                  STARTING  spawn
 * CLOSED    enter during the back-off              CLOSED    (the visitor is refused)
 * CLOSED    start, restart, hold                   STARTING  spawn (the back-off is ignored)
 * CLOSED    held and the back-off is over          STARTING  spawn
 * CLOSED    former child found                     STARTING  (it is probed)
 * CLOSED    former child with another command      SHUTDOWN  terminate
 * CLOSED    stop, kill, release                    CLOSED    complete
 * CLOSED    close                                  CLOSED    closed
 * STARTING  enter                                  STARTING  (the visitor waits)
 * STARTING  ready                                  OPENED    admit all that wait
 * STARTING  exited, could not be spawned           CLOSED    refuse all that wait, sweep
 * STARTING  start timeout                          SHUTDOWN  refuse all that wait, kill
 * STARTING  stop, kill, close                      SHUTDOWN  refuse all that wait, terminate or kill
 * STARTING  restart                                SHUTDOWN  terminate (visitors go on waiting)
 * OPENED    enter                                  OPENED    (the visitor is admitted)
 * OPENED    nobody there for the idle timeout      SHUTDOWN  terminate
 * OPENED    exited                                 CLOSED    backendGone to all active, sweep
 * OPENED    stop, kill, restart, close             SHUTDOWN  backendGone to all active, terminate or kill
 * SHUTDOWN  enter                                  SHUTDOWN  (the visitor waits, or is refused during the back-off)
 * SHUTDOWN  grace period over, kill                SHUTDOWN  kill
 * SHUTDOWN  stop, kill                             SHUTDOWN  refuse all that wait
 * SHUTDOWN  gone, a child is wanted                STARTING  spawn
 * SHUTDOWN  gone, no child is wanted               CLOSED    complete, or closed after close
 * </pre>
 *
 * Everything else changes nothing. A child is wanted if somebody waits, if it is held, or if the operator's latest wish
 * is start, restart or hold. Of overlapping operations the latest wins: the earlier one is completed with a sentence
 * that says so. Stop and kill also end a hold.
 */
final class SupervisorStateMachine {
    private final SupervisorEffects effects;
    private final SupervisorConfig config;
    private final String command;

    private final Visitors visitors;
    private final StartBackoff backoff;

    private SupervisorState state = CLOSED;
    private long stateSince;
    private long revision;

    private long attempt;
    private long spawnedAt;
    private boolean adopted;
    private boolean killed;
    private long idleSince;
    private boolean awaitsFirstVisitor;
    private long probes;
    private String probeFailure = "none was made";

    private Duration idleTimeout;
    private Duration startTimeout;
    private Duration gracePeriod;

    private boolean held;
    private boolean closing;
    private @Nullable Operation pending;

    private long retryAt;

    private long startsTotal;
    private long startFailuresTotal;
    private long unexpectedExitsTotal;
    private String lastExitStatus = "";
    private String lastError = "";
    private long lastStartNanos;

    /**
     * A machine without a child.
     *
     * @param command how messages name the child
     */
    SupervisorStateMachine(SupervisorConfig config, String command, SupervisorEffects effects) {
        this.config = config;
        this.command = command;
        this.effects = effects;
        this.visitors = new Visitors(effects);
        this.backoff = new StartBackoff(config.minBackoff(), config.maxBackoff());
        this.idleTimeout = config.idleTimeout();
        this.startTimeout = config.startTimeout();
        this.gracePeriod = config.gracePeriod();
    }

    // ---- visitors ----

    /** Why nobody may enter now; null if one may. */
    @Nullable
    ProxyException refusal(long now) {
        if (closing) {
            return new ProxyException(
                    ProxyError.SHUTTING_DOWN,
                    "the proxy is stopping and takes no new connections to " + config.address());
        }
        return (state == CLOSED || state == SHUTDOWN) && backoff.active(now) ? backoffRefusal(now) : null;
    }

    /**
     * Somebody wants to use the backend; {@link #refusal} gave null for the same {@code now}.
     *
     * @return true if the visitor is admitted at once, false if it waits
     */
    boolean enter(Visit visit, long now) {
        if (state == OPENED) {
            awaitsFirstVisitor = false;
            visitors.addActive(visit);
            return true;
        }
        visitors.addWaiting(visit);
        if (state == CLOSED) {
            begin("a connection arrived", now);
        }
        return false;
    }

    /** A visitor left, whether it waited, was active, or neither any more. */
    void leave(Visit visit, long now) {
        if (visitors.remove(visit)) {
            idleSince = now;
            tick(now);
        }
    }

    // ---- news about the child ----

    /** A child of an earlier proxy runs and is ours: it is probed and used. */
    void adopt(long pid, long age, long now) {
        attempt++;
        adopted = true;
        spawnedAt = now - age;
        probes = 0;
        moveTo(STARTING, "took over the child of an earlier proxy, pid " + pid, now);
    }

    /** A child of an earlier proxy runs but its command is not the configured one: it is stopped. */
    void discard(long pid, long now) {
        attempt++;
        adopted = true;
        spawnedAt = now;
        stop(
                "the child of an earlier proxy, pid " + pid + ", runs another command than the configured one",
                false,
                now);
    }

    /** A readiness probe failed. */
    void probeFailed(long ofAttempt, String why) {
        if (ofAttempt == attempt) {
            probes++;
            probeFailure = why;
        }
    }

    /** A readiness probe succeeded. */
    void ready(long ofAttempt, long now) {
        if (state != STARTING || ofAttempt != attempt) {
            return;
        }
        backoff.succeeded();
        if (!adopted) {
            lastStartNanos = now - spawnedAt;
        }
        boolean wished = pending != null && pending.kind().wantsChild();
        awaitsFirstVisitor = wished && visitors.waitingCount() == 0;
        idleSince = now;
        String how = adopted ? "answers" : "ready after " + Elapsed.text(lastStartNanos);
        moveTo(OPENED, how, now);
        visitors.admitWaiting();
        if (pending != null && pending.kind().wantsChild()) {
            settle(pending, "running, " + how);
        }
        tick(now);
    }

    /** The child could not be spawned. */
    void startFailed(long ofAttempt, ProxyException cause, long now) {
        if (state != STARTING || ofAttempt != attempt) {
            return;
        }
        moveTo(CLOSED, message(cause), now);
        failed(cause, now);
        effects.sweep(attempt);
    }

    /**
     * The child itself has ended; descendants may be left.
     *
     * @param status in words, as {@link ExitStatus} gives it
     * @param lastLines its last output lines, oldest first
     */
    void exited(long ofAttempt, String status, List<String> lastLines, long now) {
        if (ofAttempt != attempt) {
            return;
        }
        lastExitStatus = status;
        revision++;
        String what = command + " exited with status " + status + " after " + Elapsed.text(now - spawnedAt);
        switch (state) {
            case STARTING ->
                startFailed(
                        attempt,
                        new ProxyException(
                                ProxyError.BACKEND_START_FAILED, what + " and before it was ready" + output(lastLines)),
                        now);
            case OPENED -> {
                unexpectedExitsTotal++;
                lastError = what + output(lastLines);
                effects.warn(lastError);
                retryAt = now + backoff.delay();
                moveTo(CLOSED, what, now);
                visitors.backendGone(what);
                effects.sweep(attempt);
            }
            case SHUTDOWN, CLOSED -> {
                // Expected; SHUTDOWN lasts until the descendants are gone as well.
            }
        }
    }

    /** Neither the child nor a descendant is left. */
    void gone(long ofAttempt, long now) {
        if (state != SHUTDOWN || ofAttempt != attempt) {
            return;
        }
        if (closing) {
            moveTo(CLOSED, "ended", now);
            effects.closed();
            return;
        }
        Operation wish = pending;
        if (wish != null && wish.kind().wantsChild()) {
            begin(wish.kind() + " by operator", now);
            return;
        }
        if (wish != null) {
            settle(wish, "stopped after " + Elapsed.text(now - stateSince) + ", exit status " + lastExitStatus);
        }
        if (backoff.active(now)) {
            retryAt = backoff.until();
            moveTo(CLOSED, "ended", now);
            visitors.refuseWaiting(backoffRefusal(now));
        } else if (visitors.waitingCount() > 0) {
            begin("a connection arrived while the last child ended", now);
        } else if (held) {
            begin("held", now);
        } else {
            moveTo(CLOSED, "ended", now);
        }
    }

    // ---- time ----

    /** When {@link #tick} has something to do, if nothing else happens before. */
    OptionalLong deadline() {
        return switch (state) {
            case CLOSED -> held ? OptionalLong.of(retryAt) : OptionalLong.empty();
            case STARTING -> OptionalLong.of(stateSince + Elapsed.nanos(startTimeout));
            case OPENED -> mayIdle() ? OptionalLong.of(idleSince + Elapsed.nanos(idleTimeout)) : OptionalLong.empty();
            case SHUTDOWN -> killed ? OptionalLong.empty() : OptionalLong.of(stateSince + Elapsed.nanos(gracePeriod));
        };
    }

    /** Time has passed. */
    void tick(long now) {
        OptionalLong deadline = deadline();
        if (deadline.isEmpty() || now - deadline.getAsLong() < 0) {
            return;
        }
        switch (state) {
            case CLOSED -> begin("held", now);
            case STARTING -> {
                ProxyException cause = new ProxyException(
                        ProxyError.BACKEND_START_FAILED,
                        command + " was not ready after " + Elapsed.text(now - stateSince) + " (start timeout "
                                + Elapsed.text(startTimeout) + ", " + probes + " failed " + config.probe()
                                + " probes of " + config.address() + ", the last one: " + probeFailure
                                + ") and is killed; raise the start timeout if it needs longer");
                stop("not ready after " + Elapsed.text(now - stateSince), true, now);
                failed(cause, now);
            }
            case OPENED -> stop("no connection for " + Elapsed.text(now - idleSince), false, now);
            case SHUTDOWN -> killNow();
        }
    }

    // ---- operators ----

    /** An operator wants something; the result is completed by an effect. */
    void operate(Operation operation, long now) {
        if (closing) {
            effects.complete(operation, "nothing done: the proxy is stopping");
            return;
        }
        Operation earlier = pending;
        if (earlier != null && (operation.kind() != Operation.Kind.RELEASE || earlier.kind() == Operation.Kind.HOLD)) {
            settle(earlier, "given up: " + operation.kind() + " was asked for before " + earlier.kind() + " had ended");
        }
        switch (operation.kind()) {
            case START -> wantChild(operation, now);
            case HOLD -> {
                held = true;
                revision++;
                wantChild(operation, now);
            }
            case RELEASE -> release(operation, now);
            case RESTART -> restart(operation, now);
            case STOP, KILL -> stop(operation, now);
        }
    }

    private void wantChild(Operation operation, long now) {
        if (state == OPENED) {
            effects.complete(operation, "already running for " + Elapsed.text(now - spawnedAt));
            return;
        }
        pending = operation;
        if (state == CLOSED) {
            begin(operation.kind() + " by operator", now);
        }
    }

    private void release(Operation operation, long now) {
        effects.complete(operation, held ? "no longer held" : "was not held");
        if (held && visitors.activeCount() == 0) {
            idleSince = now;
        }
        held = false;
        revision++;
        awaitsFirstVisitor = false;
        tick(now);
    }

    private void restart(Operation operation, long now) {
        pending = operation;
        switch (state) {
            case CLOSED -> begin("restart by operator", now);
            case STARTING, OPENED -> {
                stop("restart by operator", false, now);
                visitors.backendGone("the backend is restarted by an operator");
            }
            case SHUTDOWN -> {
                // It starts again once everything is gone.
            }
        }
    }

    private void stop(Operation operation, long now) {
        boolean kill = operation.kind() == Operation.Kind.KILL;
        held = false;
        revision++;
        visitors.refuseWaiting(new ProxyException(
                ProxyError.CLOSED_BY_OPERATOR, "an operator stopped the backend at " + config.address()));
        switch (state) {
            case CLOSED -> effects.complete(operation, "not running");
            case STARTING, OPENED -> {
                pending = operation;
                stop(kill ? "killed by operator" : "stopped by operator", kill, now);
                visitors.backendGone(kill ? "killed by operator" : "stopped by operator");
            }
            case SHUTDOWN -> {
                pending = operation;
                if (kill && !killed) {
                    killNow();
                }
            }
        }
    }

    /**
     * The proxy ends: nobody is let in any more, the child is stopped. May be repeated to kill.
     *
     * @param kill SIGKILL at once instead of SIGTERM first
     */
    void close(boolean kill, long now) {
        boolean first = !closing;
        closing = true;
        held = false;
        revision++;
        if (first) {
            visitors.refuseWaiting(new ProxyException(ProxyError.SHUTTING_DOWN, "the proxy is stopping"));
            if (pending != null) {
                settle(pending, "given up: the proxy is stopping");
            }
        }
        switch (state) {
            case CLOSED -> {
                if (first) {
                    effects.closed();
                }
            }
            case STARTING, OPENED -> {
                stop("the proxy is stopping", kill, now);
                visitors.backendGone("the proxy is stopping");
            }
            case SHUTDOWN -> {
                if (kill && !killed) {
                    killNow();
                }
            }
        }
    }

    void setIdleTimeout(Duration timeout, long now) {
        idleTimeout = timeout;
        revision++;
        tick(now);
    }

    void setStartTimeout(Duration timeout, long now) {
        startTimeout = timeout;
        revision++;
        tick(now);
    }

    void setGracePeriod(Duration period, long now) {
        gracePeriod = period;
        revision++;
        tick(now);
    }

    // ---- steps ----

    private void begin(String reason, long now) {
        attempt++;
        adopted = false;
        spawnedAt = now;
        probes = 0;
        probeFailure = "none was made";
        startsTotal++;
        moveTo(STARTING, reason, now);
        effects.spawn(attempt);
    }

    private void stop(String reason, boolean kill, long now) {
        moveTo(SHUTDOWN, reason, now);
        killed = kill;
        if (kill) {
            effects.kill(attempt);
        } else {
            effects.terminate(attempt);
            tick(now);
        }
    }

    private void killNow() {
        killed = true;
        effects.warn("the child is ended with SIGKILL");
        effects.kill(attempt);
    }

    private void failed(ProxyException cause, long now) {
        startFailuresTotal++;
        lastError = message(cause);
        effects.warn(lastError);
        revision++;
        // An occupied address costs one connect to find out, so everybody may hear the latest.
        if (cause.error() != ProxyError.BACKEND_ADDRESS_TAKEN) {
            backoff.failed(now);
        }
        retryAt = now + backoff.delay();
        visitors.refuseWaiting(cause);
        if (pending != null) {
            settle(pending, "failed: " + lastError);
        }
    }

    private void settle(Operation operation, String result) {
        pending = null;
        effects.complete(operation, result);
    }

    private boolean mayIdle() {
        // Started by hand with an idle timeout of zero: stay for the first connection instead of leaving at once.
        boolean early = idleTimeout.isZero() && awaitsFirstVisitor;
        return visitors.activeCount() == 0 && !held && !early && !idleTimeout.equals(SupervisorConfig.NEVER);
    }

    private ProxyException backoffRefusal(long now) {
        return new ProxyException(
                ProxyError.BACKEND_START_BACKOFF,
                command + " could not be started " + backoff.failures()
                        + " time(s) in a row; the next try is allowed in " + Elapsed.text(backoff.until() - now)
                        + "; the last error: " + lastError);
    }

    private static String output(List<String> lastLines) {
        return lastLines.isEmpty() ? "; it printed nothing" : "; its last output: " + String.join(" / ", lastLines);
    }

    private static String message(ProxyException cause) {
        return String.valueOf(cause.getMessage());
    }

    /** The only writer of the state. */
    private void moveTo(SupervisorState next, String reason, long now) {
        SupervisorState previous = state;
        state = next;
        stateSince = now;
        revision++;
        effects.stateChanged(previous, next, reason);
    }

    // ---- what is known ----

    SupervisorState state() {
        return state;
    }

    /** True while {@code ofAttempt} is still to be started. */
    boolean isStarting(long ofAttempt) {
        return state == STARTING && ofAttempt == attempt;
    }

    long attempt() {
        return attempt;
    }

    int activeCount() {
        return visitors.activeCount();
    }

    int waitingCount() {
        return visitors.waitingCount();
    }

    /** Grows when something that {@link #facts} shows has changed. */
    long revision() {
        return revision;
    }

    Facts facts() {
        return new Facts(
                state,
                held,
                idleTimeout,
                startTimeout,
                gracePeriod,
                startsTotal,
                startFailuresTotal,
                unexpectedExitsTotal,
                lastExitStatus,
                lastError,
                lastStartNanos);
    }

    /** What management shows apart from the connection counts. */
    record Facts(
            SupervisorState state,
            boolean held,
            Duration idleTimeout,
            Duration startTimeout,
            Duration gracePeriod,
            long startsTotal,
            long startFailuresTotal,
            long unexpectedExitsTotal,
            String lastExitStatus,
            String lastError,
            long lastStartNanos) {}
}

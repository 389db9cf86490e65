package org.tiproxy.supervisor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One child and everything that descends from it: found by the process tree, and by the session where the child has one
 * of its own, so that a descendant whose parent has died is found as well. A descendant that opened a session of its own
 * AND lost its parent before anybody looked cannot be found.
 *
 * <p>Thread-safe: {@link ProcessHandle} signals a process only while its start time matches, so a reused pid is safe.
 */
final class ChildProcess {
    private final long attempt;
    private final ProcessHandle leader;
    private final @Nullable Process process;
    private final boolean ownSession;
    private final ProcessTable processes;
    private final OptionalLong startTicks;
    private final long since;

    /** Every process that was found, until it ended. */
    private final Set<ProcessHandle> known = new HashSet<>();

    private volatile boolean exitReported;

    private ChildProcess(
            long attempt,
            ProcessHandle leader,
            @Nullable Process process,
            boolean ownSession,
            ProcessTable processes,
            OptionalLong startTicks,
            long since) {
        this.attempt = attempt;
        this.leader = leader;
        this.process = process;
        this.ownSession = ownSession;
        this.processes = processes;
        this.startTicks = startTicks;
        this.since = since;
        known.add(leader);
    }

    /** A child that we have just spawned. */
    static ChildProcess spawned(long attempt, Process process, boolean ownSession, ProcessTable processes, long now) {
        ProcessHandle leader = process.toHandle();
        return new ChildProcess(
                attempt, leader, process, ownSession, processes, processes.startTicks(leader.pid()), now);
    }

    /** A child of an earlier proxy. */
    static ChildProcess former(long attempt, ProcessHandle leader, ProcessTable processes, long since) {
        OptionalLong ticks = processes.startTicks(leader.pid());
        boolean ownSession = processes
                .find(leader.pid())
                .map(entry -> entry.session() == leader.pid())
                .orElse(false);
        return new ChildProcess(attempt, leader, null, ownSession, processes, ticks, since);
    }

    long attempt() {
        return attempt;
    }

    long pid() {
        return leader.pid();
    }

    /** When it started, on the ticker. */
    long since() {
        return since;
    }

    ProcessHandle leader() {
        return leader;
    }

    /** The process as its parent has it; null for a child of an earlier proxy. */
    @Nullable
    Process process() {
        return process;
    }

    /** True if the child itself runs; descendants may run longer. */
    boolean leaderRuns() {
        return processes.runs(leader);
    }

    /** The exit status; empty while it runs and for a child of an earlier proxy. */
    OptionalInt exitStatus() {
        return process == null || process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
    }

    /** The child's end has been told to the state machine. */
    void markExitReported() {
        exitReported = true;
    }

    boolean exitReported() {
        return exitReported;
    }

    /** Sends SIGTERM, or SIGKILL, to all. */
    void signal(boolean kill) {
        // Descendants first: if the child ended first, the tree would be lost.
        List<ProcessHandle> members = members();
        for (ProcessHandle member : members) {
            if (kill) {
                member.destroyForcibly();
            } else {
                member.destroy();
            }
        }
    }

    /** True if nothing of it runs any more. */
    boolean isGone() {
        return members().isEmpty();
    }

    /** Sends SIGKILL until nothing is left; false if something is left after {@code limit}. */
    boolean killAndWait(Duration limit) {
        long start = System.nanoTime();
        for (long pause = 1; !isGone(); pause = Math.min(20, pause * 2)) {
            if (System.nanoTime() - start > limit.toNanos()) {
                return false;
            }
            signal(true);
            try {
                TimeUnit.MILLISECONDS.sleep(pause);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return isGone();
            }
        }
        return true;
    }

    /** What runs now. */
    private synchronized List<ProcessHandle> members() {
        if (leaderRuns()) {
            leader.descendants().forEach(known::add);
        }
        known.removeIf(member -> !processes.runs(member));
        if (ownSession && sessionIsOurs()) {
            for (ProcessTable.Entry entry : processes.session(leader.pid())) {
                if (startTicks.isEmpty() || entry.startTicks() >= startTicks.getAsLong()) {
                    ProcessHandle.of(entry.pid()).ifPresent(known::add);
                }
            }
        }
        return new ArrayList<>(known);
    }

    /** A session keeps its number as long as it has members; then the number, a pid, may be used anew. */
    private boolean sessionIsOurs() {
        return processes
                .find(leader.pid())
                .map(entry -> startTicks.isPresent() && entry.startTicks() == startTicks.getAsLong())
                .orElse(true);
    }
}

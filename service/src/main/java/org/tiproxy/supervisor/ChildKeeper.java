package org.tiproxy.supervisor;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.Ticker;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * Does to the operating system what the state machine decided: spawns, probes, signals and records the one child.
 *
 * <p>Confined to the supervisor's thread, except for the methods that say otherwise.
 */
final class ChildKeeper {
    private static final Logger log = LoggerFactory.getLogger(ChildKeeper.class);

    private static final int LAST_LINES = 5;
    private static final int LAST_LINE_LENGTH = 200;
    private static final int ADDRESS_CHECK_MILLIS = 300;
    private static final long DRAIN_MILLIS = 200;
    private static final Duration KILL_LIMIT = Duration.ofSeconds(2);
    private static final long FIRST_POLL = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LAST_POLL = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long FORMER_CHILD_POLL_MILLIS = 50;

    /** What the keeper reports; called on any thread. */
    interface News {
        /** False if the attempt was given up while it waited for its turn. */
        boolean isStarting(long attempt);

        void ready(long attempt);

        void probeFailed(long attempt, String why);

        void startFailed(long attempt, ProxyException cause);

        void exited(long attempt, String status, List<String> lastLines);

        void gone(long attempt);

        /** {@link #poll} has something to do. */
        void wake();
    }

    private final SupervisorConfig config;
    private final ChildCommand command;
    private final StateDirectory directory;
    private final Ticker ticker;
    private final News news;
    private final ReadinessProbe probe;
    private final ProcessTable processes = new ProcessTable();
    private final ChildLauncher launcher = new ChildLauncher();
    private final ChildOutput output = new ChildOutput();
    private final @Nullable Path fifo;

    /** Held while a process is being spawned, so that whoever kills waits for the pid to be known. */
    private final ReentrantLock spawning = new ReentrantLock();

    private volatile boolean forbidden;
    private volatile @Nullable ChildProcess child;

    private @Nullable ProbeLoop probing;
    private boolean stopping;
    private boolean killing;
    private long pollAt;
    private long pollPause;

    ChildKeeper(SupervisorConfig config, ChildCommand command, StateDirectory directory, Ticker ticker, News news) {
        this.config = config;
        this.command = command;
        this.directory = directory;
        this.ticker = ticker;
        this.news = news;
        this.probe = ReadinessProbe.of(config);
        this.fifo = openFifo();
    }

    private @Nullable Path openFifo() {
        if (!launcher.supportsFifo()) {
            log.info(
                    "No mkfifo or /bin/sh here: the child's output goes through a pipe and would break with the proxy");
            return null;
        }
        Path path = directory.fifo();
        try {
            if (!Files.exists(path)
                    || !Files.readAttributes(path, BasicFileAttributes.class).isOther()) {
                Files.deleteIfExists(path);
                launcher.makeFifo(path);
            }
            output.readFifo(path);
            return path;
        } catch (IOException e) {
            log.warn(
                    "The child's output goes through a pipe and would break with the proxy, as {} cannot be used: {}",
                    path,
                    e.toString());
            return null;
        }
    }

    // ---- what the state machine wants ----

    /** Checks that the address is free, spawns the child and begins to probe it. */
    void spawn(long attempt) {
        if (!news.isStarting(attempt)) {
            return;
        }
        try {
            List<String> words = command.resolve();
            requireFreeAddress();
            output.clearTail();
            ChildProcess spawned = launch(attempt, words);
            if (spawned != null) {
                record(spawned);
                watchOwn(spawned);
                startProbing(spawned);
            }
        } catch (ProxyException e) {
            news.startFailed(attempt, e);
        } catch (IOException | RuntimeException e) {
            news.startFailed(
                    attempt,
                    new ProxyException(
                            ProxyError.BACKEND_START_FAILED, command + " cannot be started: " + e.getMessage(), e));
        }
    }

    private void requireFreeAddress() throws ProxyException {
        Socket connection;
        try {
            connection = TcpProbe.connect(config.address(), ADDRESS_CHECK_MILLIS);
        } catch (IOException e) {
            return;
        }
        TcpProbe.closeGently(connection);
        throw new ProxyException(
                ProxyError.BACKEND_ADDRESS_TAKEN,
                "something that tiproxy did not start already answers at " + config.address() + ", so " + command
                        + " was not started: stop what listens there, or have the child and the proxy use another"
                        + " address, or run the proxy without a command to use what is there");
    }

    private @Nullable ChildProcess launch(long attempt, List<String> words) throws IOException {
        spawning.lock();
        try {
            if (forbidden) {
                return null;
            }
            Process process = launcher.launch(words, config.workdir(), fifo);
            ChildProcess spawned =
                    ChildProcess.spawned(attempt, process, launcher.separatesSessions(), processes, ticker.nanoTime());
            become(spawned);
            if (fifo == null) {
                output.readPipe(process.getInputStream());
            }
            return spawned;
        } finally {
            spawning.unlock();
        }
    }

    private void become(ChildProcess next) {
        stopping = false;
        killing = false;
        child = next;
    }

    private void record(ChildProcess spawned) {
        try {
            directory.write(
                    ChildRecord.of(spawned.leader(), processes, command, fifo == null ? "pipe" : fifo.toString()));
        } catch (IOException e) {
            log.warn(
                    "The child, pid {}, cannot be recorded: if the proxy is killed, the next one will not know it ({})",
                    spawned.pid(),
                    e.toString());
        }
    }

    /** Sends SIGTERM, or SIGKILL, to the child and its descendants; reports when all are gone. */
    void stop(long attempt, boolean kill) {
        stopProbing();
        ChildProcess target = child;
        if (target == null || target.attempt() != attempt) {
            // It was given up before it was spawned.
            news.gone(attempt);
            return;
        }
        stopping = true;
        killing |= kill;
        target.signal(kill);
        pollAt = ticker.nanoTime();
        pollPause = FIRST_POLL;
    }

    /** The child has ended by itself: kills what it left behind, and forgets it. */
    void sweep(long attempt) {
        stopProbing();
        ChildProcess target = child;
        if (target == null || target.attempt() != attempt) {
            return;
        }
        if (!target.isGone()) {
            log.info("The child, pid {}, left processes behind: they are killed", target.pid());
            if (!target.killAndWait(KILL_LIMIT)) {
                log.warn("Some of them still run after {}", Elapsed.text(KILL_LIMIT));
            }
        }
        forget();
    }

    // ---- time ----

    /** When {@link #poll} has something to do. */
    OptionalLong nextPoll() {
        ChildProcess target = child;
        // As long as the child itself runs, its end will wake us.
        return stopping && target != null && target.exitReported() ? OptionalLong.of(pollAt) : OptionalLong.empty();
    }

    /** Looks whether a stopped child and its descendants are gone. */
    void poll(long now) {
        ChildProcess target = child;
        OptionalLong due = nextPoll();
        if (target == null || due.isEmpty() || now - due.getAsLong() < 0) {
            return;
        }
        if (target.isGone()) {
            forget();
            news.gone(target.attempt());
            return;
        }
        if (killing) {
            // Something was forked while we killed.
            target.signal(true);
        }
        pollAt = now + pollPause;
        pollPause = Math.min(LAST_POLL, pollPause * 2);
    }

    private void forget() {
        child = null;
        stopping = false;
        killing = false;
        directory.erase();
    }

    // ---- a child of an earlier proxy ----

    /** A recorded child that still runs. */
    record Former(ProcessHandle leader, boolean sameCommand) {}

    /** Looks for a child of an earlier proxy, and clears away what is left of one that has died. Before anything else. */
    Optional<Former> findFormer() {
        Optional<ChildRecord> found = directory.read();
        if (found.isEmpty()) {
            return Optional.empty();
        }
        ChildRecord record = found.get();
        Optional<ProcessHandle> leader = record.running(processes);
        if (leader.isPresent()) {
            return Optional.of(new Former(leader.get(), record.fingerprint().equals(command.fingerprint())));
        }
        if (record.boot().equals(processes.bootIdentity()) && record.startTicks() >= 0) {
            killLeftBehind(record);
        }
        directory.erase();
        return Optional.empty();
    }

    private void killLeftBehind(ChildRecord record) {
        if (processes.find(record.pid()).filter(ProcessTable.Entry::running).isPresent()) {
            // The pid was given to somebody else, which happens only after the session has ended.
            return;
        }
        for (ProcessTable.Entry entry : processes.session(record.pid())) {
            if (entry.startTicks() >= record.startTicks()) {
                log.info("Killing pid {}, left behind by the child of an earlier proxy", entry.pid());
                ProcessHandle.of(entry.pid()).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    /** How long {@code former} has been running, in nanoseconds. */
    static long age(Former former) {
        return former.leader()
                .info()
                .startInstant()
                .map(start -> Math.max(0, Elapsed.nanos(Duration.between(start, Instant.now()))))
                .orElse(0L);
    }

    /** Makes {@code former} our child. */
    void adopt(long attempt, Former former) {
        ChildProcess adopted =
                ChildProcess.former(attempt, former.leader(), processes, ticker.nanoTime() - age(former));
        become(adopted);
        // Nobody but a parent is told when a process ends.
        Thread thread = new Thread(() -> watchFormer(adopted), "tiproxy-supervisor-watch");
        thread.setDaemon(true);
        thread.start();
        if (former.sameCommand()) {
            startProbing(adopted);
        }
    }

    // ---- news about the child ----

    private void startProbing(ChildProcess starting) {
        long attempt = starting.attempt();
        probing = new ProbeLoop(
                probe,
                Elapsed.nanos(config.readyInterval()),
                ticker,
                () -> news.ready(attempt),
                why -> news.probeFailed(attempt, why));
    }

    private void stopProbing() {
        if (probing != null) {
            probing.cancel();
            probing = null;
        }
    }

    private void watchOwn(ChildProcess own) {
        Process process = own.process();
        if (process != null) {
            CompletableFuture<?> unused = process.onExit().thenRun(() -> exited(own));
        }
    }

    private void watchFormer(ChildProcess adopted) {
        try {
            while (adopted.leaderRuns()) {
                TimeUnit.MILLISECONDS.sleep(FORMER_CHILD_POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        exited(adopted);
    }

    private void exited(ChildProcess ended) {
        CompletableFuture<?> unused = output.drained(DRAIN_MILLIS).thenRun(() -> {
            OptionalInt status = ended.exitStatus();
            news.exited(
                    ended.attempt(),
                    status.isPresent() ? ExitStatus.text(status.getAsInt()) : ExitStatus.UNKNOWN,
                    lastLines());
            ended.markExitReported();
            news.wake();
        });
    }

    private List<String> lastLines() {
        return output.tail(LAST_LINES).stream()
                .map(line -> line.length() > LAST_LINE_LENGTH ? line.substring(0, LAST_LINE_LENGTH) + "…" : line)
                .toList();
    }

    // ---- from any thread ----

    /** The child's pid; 0 without one. */
    long pid() {
        ChildProcess current = child;
        return current == null ? 0 : current.pid();
    }

    /** How long the child has been running, in nanoseconds; 0 without one. */
    long uptime() {
        ChildProcess current = child;
        return current == null ? 0 : ticker.nanoTime() - current.since();
    }

    /** The child's last output lines. */
    List<String> outputTail() {
        return output.tail(OutputLog.TAIL_LINES);
    }

    /**
     * Kills the child and its descendants and lets no other be spawned, ever. Waits for a spawn that is under way, and
     * for the end of all, 2 s at most each.
     */
    void killForGood() {
        forbidden = true;
        boolean locked = false;
        try {
            locked = spawning.tryLock(KILL_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            ChildProcess target = child;
            if (target != null && target.killAndWait(KILL_LIMIT)) {
                directory.erase();
            }
        } finally {
            if (locked) {
                spawning.unlock();
            }
        }
    }

    /** Nothing will be asked any more. */
    void close() {
        stopProbing();
        output.close();
        directory.close();
    }
}

package org.tiproxy.supervisor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the last lines of the child's output and passes all of them on to a log on a thread of its own.
 *
 * <p>A log may be slow (a terminal that was stopped with Ctrl-S, a full disk); the child must not wait for it. So lines
 * that the log has not taken yet are bounded, and beyond that bound they are counted instead of logged. Thread-safe.
 */
final class OutputLog implements AutoCloseable {
    static final int TAIL_LINES = 200;
    private static final int MAX_QUEUED_CHARS = 4 << 20;

    private final Consumer<String> log;
    private final Deque<String> tail = new ArrayDeque<>();
    private final Deque<String> queue = new ArrayDeque<>();
    private int queuedChars;
    private long dropped;
    private boolean closed;

    /** @param log takes one line at a time; may block */
    OutputLog(Consumer<String> log) {
        this.log = log;
        Thread thread = new Thread(this::run, "tiproxy-supervisor-log");
        thread.setDaemon(true);
        thread.start();
    }

    /** Adds a line. Never waits for the log. */
    synchronized void add(String line) {
        if (tail.size() == TAIL_LINES) {
            tail.removeFirst();
        }
        tail.addLast(line);
        // Every line costs something even when empty.
        int size = line.length() + 64;
        if (queuedChars + size > MAX_QUEUED_CHARS) {
            dropped++;
        } else {
            queue.addLast(line);
            queuedChars += size;
            notifyAll();
        }
    }

    /** The last {@code count} lines, oldest first; at most {@value #TAIL_LINES}. */
    synchronized List<String> tail(int count) {
        List<String> all = new ArrayList<>(tail);
        return List.copyOf(all.subList(Math.max(0, all.size() - count), all.size()));
    }

    /** Forgets the tail: another child begins to write. */
    synchronized void clearTail() {
        tail.clear();
    }

    /** Ends the thread once everything is logged. */
    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    private void run() {
        try {
            for (String line = next(); line != null; line = next()) {
                log.accept(line);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized @Nullable String next() throws InterruptedException {
        while (queue.isEmpty() && dropped == 0 && !closed) {
            wait();
        }
        String line = queue.pollFirst();
        if (line != null) {
            queuedChars -= line.length() + 64;
            return line;
        }
        if (dropped > 0) {
            line = "[" + dropped + " lines dropped: the child writes faster than the log takes them]";
            dropped = 0;
        }
        return line;
    }
}

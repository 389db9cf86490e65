package org.tiproxy.app;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.tiproxy.common.DaemonThreads;

/**
 * Lets another handler write on a thread of its own: whoever logs never waits for a terminal or a pipe that is stuck.
 * What does not fit into the queue is counted, and said when there is room again.
 */
final class AsyncHandler extends Handler {
    private static final int CAPACITY = 8192;
    private static final long CLOSE_SECONDS = 1;

    private final Handler target;
    private final Formatter formatter;
    private final BlockingQueue<String> lines = new ArrayBlockingQueue<>(CAPACITY);
    private final LongAdder dropped = new LongAdder();
    private final CountDownLatch drained = new CountDownLatch(1);
    private volatile boolean closing;

    /** Formats with {@code formatter} on the caller's thread, whose name is part of the line. */
    AsyncHandler(Handler target, Formatter formatter) {
        this.target = target;
        this.formatter = formatter;
        target.setLevel(Level.ALL);
        target.setFormatter(new Formatter() {
            @Override
            public String format(LogRecord line) {
                return line.getMessage();
            }
        });
        setLevel(Level.ALL);
        new DaemonThreads("tiproxy-log").newThread(this::write).start();
    }

    @Override
    public void publish(LogRecord record) {
        if (isLoggable(record) && !lines.offer(formatter.format(record))) {
            dropped.increment();
        }
    }

    private void write() {
        try {
            while (!closing || !lines.isEmpty()) {
                String line = lines.poll(100, TimeUnit.MILLISECONDS);
                if (line != null) {
                    target.publish(new LogRecord(Level.INFO, line));
                    long missed = dropped.sumThenReset();
                    if (missed > 0) {
                        String note = "(" + missed + " lines were dropped: the log is too slow)\n";
                        target.publish(new LogRecord(Level.INFO, note));
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            drained.countDown();
        }
    }

    @Override
    public void flush() {
        // The thread writes as fast as the target takes it.
    }

    /** Gives the last lines a second. */
    @Override
    public void close() {
        closing = true;
        try {
            if (drained.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                target.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

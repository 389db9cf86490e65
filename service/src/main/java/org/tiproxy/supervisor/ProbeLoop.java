package org.tiproxy.supervisor;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.Ticker;

/**
 * Probes a starting child on a thread of its own until it is ready or {@link #cancel} is called.
 *
 * <p>The pause between two probes is what readiness is noticed too late, so it begins with 2 ms and grows with the time
 * waited: an eighth of it up to 10 ms, later half a percent, and never above the configured interval.
 */
final class ProbeLoop {
    private static final Logger log = LoggerFactory.getLogger(ProbeLoop.class);
    private static final int ASK_TIMEOUT_MILLIS = 1000;

    private final ReadinessProbe probe;
    private final long maxPause;
    private final Ticker ticker;
    private final Thread thread;
    private volatile boolean cancelled;

    /** Starts probing. {@code ready} and {@code notReady} are called on the probing thread. */
    ProbeLoop(ReadinessProbe probe, long maxPause, Ticker ticker, Runnable ready, Consumer<String> notReady) {
        this.probe = probe;
        this.maxPause = maxPause;
        this.ticker = ticker;
        this.thread = new Thread(() -> run(ready, notReady), "tiproxy-supervisor-probe");
        thread.setDaemon(true);
        thread.start();
    }

    /** Stops probing; a probe that is under way may still report. */
    void cancel() {
        cancelled = true;
        thread.interrupt();
    }

    private void run(Runnable ready, Consumer<String> notReady) {
        long start = ticker.nanoTime();
        while (!cancelled) {
            try {
                Closeable rest = probe.ask(ASK_TIMEOUT_MILLIS);
                ready.run();
                close(rest);
                return;
            } catch (IOException | RuntimeException e) {
                String message = e.getMessage();
                notReady.accept(message == null ? e.getClass().getSimpleName() : message);
            }
            try {
                TimeUnit.NANOSECONDS.sleep(pause(ticker.nanoTime() - start, maxPause));
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** The pause after {@code waited} nanoseconds. */
    static long pause(long waited, long maxPause) {
        long early = Math.min(TimeUnit.MILLISECONDS.toNanos(10), waited / 8);
        long pause = Math.max(TimeUnit.MILLISECONDS.toNanos(2), Math.max(early, waited / 200));
        return Math.max(1, Math.min(pause, maxPause));
    }

    private static void close(Closeable rest) {
        try {
            rest.close();
        } catch (IOException e) {
            log.debug("The readiness probe ended with {}", e.toString());
        }
    }
}

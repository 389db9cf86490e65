package org.tiproxy.common;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** Lets a message that may come thousands of times a second through once per period. Thread-safe. */
public final class LogThrottle {
    private final long periodNanos;
    private final Ticker ticker;
    private final AtomicLong nextAllowed;
    private final LongAdder suppressed = new LongAdder();

    /** Lets one message through per {@code period}, the first at once. */
    public LogThrottle(Duration period, Ticker ticker) {
        this.periodNanos = period.toNanos();
        this.ticker = ticker;
        this.nextAllowed = new AtomicLong(ticker.nanoTime());
    }

    /** Runs {@code message} with a suffix such as {@code " (17 more like this)"}, or counts it as suppressed. */
    public void run(Consumer<String> message) {
        long now = ticker.nanoTime();
        long allowed = nextAllowed.get();
        if (now - allowed >= 0 && nextAllowed.compareAndSet(allowed, now + periodNanos)) {
            long missed = suppressed.sumThenReset();
            message.accept(missed == 0 ? "" : " (" + missed + " more like this since the last message)");
        } else {
            suppressed.increment();
        }
    }
}

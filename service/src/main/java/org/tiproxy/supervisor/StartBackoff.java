package org.tiproxy.supervisor;

import java.time.Duration;

/** How long no new start is tried after failed ones: doubles from {@code min} to {@code max}. Not thread-safe. */
final class StartBackoff {
    private final long min;
    private final long max;
    private int failures;
    private long until;

    StartBackoff(Duration min, Duration max) {
        this.min = Elapsed.nanos(min);
        this.max = Elapsed.nanos(max);
    }

    /** A start failed. */
    void failed(long now) {
        failures++;
        until = now + delay();
    }

    /** A start succeeded: all is forgiven. */
    void succeeded() {
        failures = 0;
    }

    /** True while no start is to be tried. */
    boolean active(long now) {
        return failures > 0 && now - until < 0;
    }

    /** Failed starts in a row. */
    int failures() {
        return failures;
    }

    /** When a start may be tried again; meaningful while {@link #active}. */
    long until() {
        return until;
    }

    /** The pause that follows the latest failure, or would follow a first one. */
    long delay() {
        long delay = min;
        for (int i = 1; i < failures && delay < max; i++) {
            delay *= 2;
        }
        return Math.min(delay, max);
    }
}

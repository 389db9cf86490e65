package org.tiproxy.supervisor;

import java.time.Duration;
import java.util.Locale;

/** Elapsed time as people read it, and durations as the ticker counts. */
final class Elapsed {
    /** About 146 years: far enough for "never", near enough that adding it to a ticker value cannot overflow twice. */
    private static final long MAX_NANOS = Long.MAX_VALUE / 2;

    private Elapsed() {}

    /** {@code 85 ms} below a second, {@code 12.3 s} above. */
    static String text(long nanos) {
        long millis = Math.max(0, nanos) / 1_000_000;
        return millis < 1000 ? millis + " ms" : String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }

    /** As {@link #text(long)}. */
    static String text(Duration duration) {
        return text(nanos(duration));
    }

    /** {@code duration} in nanoseconds; what does not fit becomes the largest value that can be waited for. */
    static long nanos(Duration duration) {
        return duration.toSeconds() >= MAX_NANOS / 1_000_000_000 ? MAX_NANOS : duration.toNanos();
    }
}

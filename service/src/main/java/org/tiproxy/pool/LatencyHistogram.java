package org.tiproxy.pool;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAccumulator;

/**
 * Durations in buckets that grow with the value: each power of two is cut into eight, so that a percentile is at most an
 * eighth too high. 4 KB, lock-free; thread-safe.
 */
final class LatencyHistogram {
    private static final int SUB_BITS = 3;
    private static final int SUB = 1 << SUB_BITS;

    private final AtomicLongArray counts = new AtomicLongArray((64 - SUB_BITS) * SUB + SUB);
    private final LongAccumulator max = new LongAccumulator(Math::max, 0);

    void record(long nanos) {
        long value = Math.max(0, nanos);
        counts.getAndIncrement(bucket(value));
        max.accumulate(value);
    }

    /**
     * A summary.
     *
     * @param events how many durations there were in all; those that were not recorded count as zero
     */
    LatencyStatistics summary(long events) {
        long[] copy = new long[counts.length()];
        long recorded = 0;
        for (int i = 0; i < copy.length; i++) {
            copy[i] = counts.get(i);
            recorded += copy[i];
        }
        long total = Math.max(events, recorded);
        copy[0] += total - recorded;
        long largest = max.get();
        return new LatencyStatistics(
                total,
                Duration.ofNanos(Math.min(largest, percentile(copy, total, 0.50))),
                Duration.ofNanos(Math.min(largest, percentile(copy, total, 0.99))),
                Duration.ofNanos(largest));
    }

    private static long percentile(long[] counts, long total, double share) {
        long rank = (long) Math.ceil(total * share);
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= rank) {
                return upperBound(i);
            }
        }
        return 0;
    }

    static int bucket(long value) {
        if (value < SUB) {
            return (int) value;
        }
        int exponent = 63 - Long.numberOfLeadingZeros(value);
        int shift = exponent - SUB_BITS;
        return (shift + 1) * SUB + (int) (value >>> shift) - SUB;
    }

    /** The largest value that {@link #bucket} puts into {@code index}. */
    static long upperBound(int index) {
        if (index < SUB) {
            return index;
        }
        int shift = index / SUB - 1;
        return ((long) (SUB + index % SUB + 1) << shift) - 1;
    }
}

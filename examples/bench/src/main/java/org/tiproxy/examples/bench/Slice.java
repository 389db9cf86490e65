package org.tiproxy.examples.bench;

import java.time.Duration;
import org.HdrHistogram.Histogram;

/**
 * What one short piece of load has measured.
 *
 * @param completed requests answered
 * @param elapsed from the first request to the last answer
 * @param latencies of the requests, in nanoseconds
 */
record Slice(long completed, Duration elapsed, Histogram latencies) {
    /** A histogram that covers 1 ns to 1 minute with an error below 1 %. */
    static Histogram newHistogram() {
        return new Histogram(Duration.ofMinutes(1).toNanos(), 2);
    }

    double perSecond() {
        return completed / (elapsed.toNanos() / 1e9);
    }

    double microsAt(double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1e3;
    }
}

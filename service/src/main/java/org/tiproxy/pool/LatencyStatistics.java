package org.tiproxy.pool;

import java.time.Duration;

/**
 * How long something took, since the pool was made.
 *
 * @param count how many times it was measured
 * @param p50 half took no longer than this, at most an eighth too high
 * @param p99 99 of 100 took no longer than this, at most an eighth too high
 * @param max the longest
 */
public record LatencyStatistics(long count, Duration p50, Duration p99, Duration max) {}

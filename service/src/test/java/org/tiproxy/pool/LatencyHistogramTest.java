package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
    private final LatencyHistogram histogram = new LatencyHistogram();

    @Test
    void everyValueFallsIntoABucketThatIsAtMostAnEighthWider() {
        for (int shift = 0; shift < 63; shift++) {
            for (long value : new long[] {(1L << shift) - 1, 1L << shift, (1L << shift) + 1}) {
                long bound = LatencyHistogram.upperBound(LatencyHistogram.bucket(value));
                assertThat(bound).isGreaterThanOrEqualTo(value);
                assertThat(bound - value).isLessThanOrEqualTo(value / 8);
            }
        }
    }

    @Test
    void theLargestValueFits() {
        histogram.record(Long.MAX_VALUE);
        assertThat(histogram.summary(0).max()).isEqualTo(Duration.ofNanos(Long.MAX_VALUE));
    }

    @Test
    void summarizesWhatWasRecordedAndCountsTheRestAsZero() {
        for (int i = 1; i <= 100; i++) {
            histogram.record(Duration.ofMillis(i).toNanos());
        }
        LatencyStatistics recorded = histogram.summary(0);
        assertThat(recorded.count()).isEqualTo(100);
        assertThat(recorded.p50()).isBetween(Duration.ofMillis(50), Duration.ofMillis(57));
        assertThat(recorded.p99()).isBetween(Duration.ofMillis(99), Duration.ofMillis(100));
        assertThat(recorded.max()).isEqualTo(Duration.ofMillis(100));
        assertThat(histogram.summary(1000).p50()).isZero();
        assertThat(histogram.summary(1000).count()).isEqualTo(1000);
    }

    @Test
    void isAllZeroBeforeAnythingHappens() {
        assertThat(histogram.summary(0))
                .isEqualTo(new LatencyStatistics(0, Duration.ZERO, Duration.ZERO, Duration.ZERO));
    }
}

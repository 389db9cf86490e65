package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class SysbenchTest {
    @Test
    void statementsAndNotTransactionsAreTheRate() throws IOException {
        SqlLoad.Rate rate = Sysbench.parse("""
                SQL statistics:
                    queries performed:
                        total:                           20598
                    transactions:                        1287   (346.80 per sec.)
                    queries:                             20598  (5548.88 per sec.)

                Latency (ms):
                         max:                                 1142.88
                         95th percentile:                      559.50
                """);

        assertThat(rate.perSecond()).isEqualTo(5548.88);
        assertThat(rate.millisAt95()).isEqualTo(559.5);
    }

    @Test
    void failureIsToldInItsOwnWords() {
        assertThatIOException().isThrownBy(() -> Sysbench.parse("""
                        Initializing worker threads...

                        FATAL: unable to connect to MySQL server on host '127.0.0.1', port 1, aborting...
                        """)).withMessageContaining("FATAL: unable to connect");
    }
}

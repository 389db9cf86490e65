package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {
    @Test
    void readsResidentMemory() throws IOException {
        assertThat(ProcessMemory.parseResident("Name:\tjava\nVmHWM:\t    9000 kB\nVmRSS:\t    8192 kB\n"))
                .isEqualTo(8192 * 1024);
    }

    @Test
    void readsTotalOfClassHistogram() throws IOException {
        String histogram = """
                12345:
                 num     #instances         #bytes  class name (module)
                -------------------------------------------------------
                   1:         10245        1216600  [B (java.base@17.0.15)
                Total         50123        3456789
                """;

        assertThat(ProcessMemory.parseLiveHeap(histogram)).isEqualTo(3_456_789);
    }

    @Test
    void answerWithoutTotalIsAnError() {
        assertThatIOException()
                .isThrownBy(() -> ProcessMemory.parseLiveHeap("12345:\nCould not find any processes"))
                .withMessageContaining("Could not find any processes");
    }
}

package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.Random;

/**
 * Coverage-guided fuzzing of what a client sends: whatever the bytes are, the outcome is events or a
 * {@link ProtocolException}, and the same for any split into reads.
 *
 * <p>An input is the seed of the splits in one byte, and the stream.
 */
class CommandScannerJazzerTest {
    @FuzzTest(maxDuration = "3m")
    void anySplitGivesTheSameEvents(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] stream = Arrays.copyOfRange(input, 1, input.length);
        assertThat(WireFuzzTest.fuzzCommands(stream, Streams.atMost(new Random(input[0]), 5)))
                .isEqualTo(WireFuzzTest.fuzzCommands(stream, Streams.whole()));
    }
}

package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.Random;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;

/**
 * Coverage-guided fuzzing of responses: whatever the bytes are, the outcome is events or a {@link ProtocolException}, and
 * the same for any split into reads.
 *
 * <p>An input is the command's code, the capabilities in 8 bytes, the seed of the splits in one byte, and the stream.
 */
class ResponseScannerJazzerTest {
    private static final int HEAD = 10;
    /** What a scanner accepts. */
    private static final long CAPABILITIES = ~Capability.CLIENT_OPTIONAL_RESULTSET_METADATA.mask();

    @FuzzTest(maxDuration = "3m")
    void anySplitGivesTheSameEvents(byte[] input) {
        if (input.length <= HEAD) {
            return;
        }
        PayloadReader head = new PayloadReader("input", Arrays.copyOf(input, HEAD));
        Command command = Command.of((byte) head.int1("command"));
        long capabilities = head.int8("capabilities") & CAPABILITIES;
        Random random = new Random(head.int1("seed"));
        byte[] stream = Arrays.copyOfRange(input, HEAD, input.length);
        assertThat(WireFuzzTest.fuzzResponses(capabilities, command, stream, Streams.atMost(random, 7)))
                .isEqualTo(WireFuzzTest.fuzzResponses(capabilities, command, stream, Streams.whole()));
    }
}

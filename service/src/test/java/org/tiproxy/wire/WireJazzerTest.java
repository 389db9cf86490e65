package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Random;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;

/**
 * Coverage-guided fuzzing of framing, scanning and decoding; without JAZZER_FUZZ only the stored inputs run. Whatever
 * the bytes are, the outcome is an event, a packet or a {@link ProtocolException}, and the same for any split.
 */
class WireJazzerTest {
    private static final String DURATION = "3m";
    private static final Command[] COMMANDS = Command.values();
    /** What a scanner accepts. */
    private static final long CAPABILITIES = ~Capability.CLIENT_OPTIONAL_RESULTSET_METADATA.mask();

    @FuzzTest(maxDuration = DURATION)
    void responses(FuzzedDataProvider data) {
        long capabilities = data.consumeLong() & CAPABILITIES;
        Command command = COMMANDS[data.consumeInt(0, COMMANDS.length - 1)];
        long seed = data.consumeLong();
        byte[] stream = data.consumeRemainingAsBytes();
        if (stream.length > 0) {
            assertThat(WireFuzzTest.fuzzResponses(capabilities, command, stream, Streams.atMost(new Random(seed), 7)))
                    .isEqualTo(WireFuzzTest.fuzzResponses(capabilities, command, stream, Streams.whole()));
        }
    }

    @FuzzTest(maxDuration = DURATION)
    void commands(FuzzedDataProvider data) {
        long seed = data.consumeLong();
        byte[] stream = data.consumeRemainingAsBytes();
        assertThat(WireFuzzTest.fuzzCommands(stream, Streams.atMost(new Random(seed), 5)))
                .isEqualTo(WireFuzzTest.fuzzCommands(stream, Streams.whole()));
    }

    @FuzzTest(maxDuration = DURATION)
    void packets(byte[] payload) {
        assertThat(WireFuzzTest.fuzzPackets(Bytes.of(payload))).isNotNegative();
    }
}

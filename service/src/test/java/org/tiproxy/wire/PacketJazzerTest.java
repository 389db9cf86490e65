package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Coverage-guided fuzzing of all packets that are decoded: the outcome is a packet, which can be encoded again, or a
 * {@link ProtocolException}. An input is a payload.
 */
class PacketJazzerTest {
    @FuzzTest(maxDuration = "3m")
    void whatCanBeDecodedCanBeEncoded(byte[] payload) {
        assertThat(WireFuzzTest.fuzzPackets(Bytes.of(payload))).isNotNegative();
    }
}

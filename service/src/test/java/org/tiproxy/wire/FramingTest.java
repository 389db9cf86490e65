package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.wire.protocol.ErrorCode;

class FramingTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 0xfffffd, 0xfffffe, 0xffffff, 0x1000000, 0x1000001, 0x1fffffe, 0x1ffffff})
    void packetOfAnySizeIsCutAndAssembled(int size) {
        byte[] payload = new byte[size];
        new Random(size).nextBytes(payload);
        ByteBuffer packet = new PayloadWriter().bytes(payload).toPacket(255);
        int fragments = size / PacketFramer.MAX_FRAGMENT + 1;
        assertThat(packet.remaining()).isEqualTo(size + 4 * fragments);
        assertThat(packet.get(3)).isEqualTo((byte) 255);
        PacketAssembler assembler = new PacketAssembler(size);
        int limit = packet.limit();
        boolean complete = false;
        while (packet.position() < limit) {
            assertThat(complete).isFalse();
            packet.limit(Math.min(limit, packet.position() + 1_000_003));
            complete = assembler.read(packet);
        }
        assertThat(complete).isTrue();
        assertThat(assembler.payload()).isEqualTo(Bytes.of(payload));
        assertThat(assembler.sequenceId()).isEqualTo((255 + fragments - 1) % 256);
        assertThat(assembler.atPacketStart()).isTrue();
    }

    @Test
    void assemblerStopsBehindEachPacket() {
        PacketAssembler assembler = new PacketAssembler(100);
        ByteBuffer chunk = ByteBuffer.wrap(Hex.join(Hex.packet(0, "'abc'"), Hex.packet(1), Hex.packet(2, "'de'")));
        assertThat(assembler.read(chunk)).isTrue();
        assertThat(assembler.payload().utf8()).isEqualTo("abc");
        assertThat(chunk.position()).isEqualTo(7);
        assertThat(assembler.read(chunk)).isTrue();
        assertThat(assembler.payload()).isEqualTo(Bytes.EMPTY);
        assertThat(assembler.read(chunk)).isTrue();
        assertThat(assembler.payload().utf8()).isEqualTo("de");
        assertThat(assembler.sequenceId()).isEqualTo(2);
        assertThat(assembler.read(chunk)).isFalse();
    }

    @Test
    void packetLargerThanTheLimitIsRefusedAtItsHeader() {
        PacketAssembler assembler = new PacketAssembler(100);
        assertThatExceptionOfType(ProtocolException.class)
                // The first bytes of an HTTP request announce a packet of 5.5 MB.
                .isThrownBy(() -> assembler.read(
                        ByteBuffer.wrap(Hex.bytes("'GET / HTTP/1.1'").toByteArray())))
                .withMessage("expected a packet of at most 100 bytes, but the header announces 5522759 after 0")
                .extracting(ProtocolException::errorCode)
                .isEqualTo(ErrorCode.ER_NET_PACKET_TOO_LARGE);
    }

    @Test
    void bytesDoNotShowTheirContent() {
        assertThat(Bytes.ofUtf8("secret").toString()).isEqualTo("6 bytes");
    }
}

package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.tiproxy.wire.Hex.packet;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.ErrorCode;

class CommandScannerTest {
    // command, statement
    private static final byte[] QUERY = packet(0, "03", "'select 1 from dual'");
    private static final byte[] PING = packet(0, "0e");
    // command, statement id, flags, iteration count
    private static final byte[] EXECUTE = packet(0, "17", "2a000000", "00", "01000000");

    @Test
    void commandsMayFollowEachOtherAtOnce() {
        byte[] stream = Hex.join(QUERY, PING, EXECUTE, packet(0));
        assertThat(Streams.commands(new CommandScanner(7), stream, Streams.whole()))
                .containsExactly(
                        "11 COMMAND_HEAD COM_QUERY \3select 11 false",
                        "23 COMMAND_END",
                        "28 COMMAND_HEAD COM_PING \16 5 true",
                        "28 COMMAND_END",
                        "39 COMMAND_HEAD COM_STMT_EXECUTE \27*\0\0\0\0\1 11 false",
                        "42 COMMAND_END",
                        "46 COMMAND_HEAD UNKNOWN  4 true",
                        "46 COMMAND_END");
    }

    @Test
    void everySplitGivesTheSameEvents() {
        byte[] stream = Hex.join(QUERY, PING, packet(0), EXECUTE, QUERY);
        List<String> expected = Streams.commands(new CommandScanner(9), stream, Streams.whole());
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            assertThat(Streams.commands(new CommandScanner(9), stream, Streams.atMost(random, 1 + round % 20)))
                    .isEqualTo(expected);
        }
    }

    @Test
    void heldBytesRepeatWhatWasSeenOfTheCommand() {
        CommandScanner scanner = new CommandScanner(8);
        assertThat(scanner.scan(ByteBuffer.wrap(QUERY, 0, 2))).isEqualTo(CommandEvent.NEED_BYTES);
        assertThat(scanner.scan(ByteBuffer.wrap(QUERY, 2, 4))).isEqualTo(CommandEvent.NEED_BYTES);
        ByteBuffer rest = ByteBuffer.wrap(QUERY, 6, QUERY.length - 6);
        assertThat(scanner.scan(rest)).isEqualTo(CommandEvent.COMMAND_HEAD);
        assertThat(scanner.heldBytes()).isEqualTo(ByteBuffer.wrap(QUERY, 0, 12));
        assertThat(rest.position()).isEqualTo(12);
        assertThat(scanner.scan(rest)).isEqualTo(CommandEvent.COMMAND_END);
        assertThat(rest.hasRemaining()).isFalse();
        assertThat(scanner.atPacketStart()).isTrue();
    }

    @Test
    void statementIdIsRead() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.scan(ByteBuffer.wrap(EXECUTE));
        assertThat(scanner.command()).isEqualTo(Command.COM_STMT_EXECUTE);
        assertThat(scanner.hasStatementId()).isTrue();
        assertThat(scanner.statementId()).isEqualTo(42);
    }

    @Test
    void tooShortForAStatementId() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.scan(ByteBuffer.wrap(packet(0, "17", "2a0000")));
        assertThat(scanner.hasStatementId()).isFalse();
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(scanner::statementId)
                .withMessageContaining("COM_STMT_EXECUTE: expected 4 bytes of statement id at offset 1");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, 10})
    void largeCommandIsOne(int beyondAFragment) {
        byte[] payload = new byte[PacketFramer.MAX_FRAGMENT + beyondAFragment];
        Arrays.fill(payload, (byte) 3);
        byte[] command = array(new PayloadWriter().bytes(payload).toPacket(0));
        assertThat(command.length).isEqualTo(payload.length + (beyondAFragment < 0 ? 4 : 8));
        byte[] stream = Hex.join(command, PING);
        for (Streams.Cuts cuts : List.of(Streams.whole(), remaining -> 100_003)) {
            assertThat(Streams.commands(new CommandScanner(5), stream, cuts))
                    .containsExactly(
                            "9 COMMAND_HEAD COM_QUERY \3\3\3\3\3 9 false",
                            command.length + " COMMAND_END",
                            (command.length + 5) + " COMMAND_HEAD COM_PING \16 5 true",
                            (command.length + 5) + " COMMAND_END");
        }
    }

    @Test
    void fileEndsWithAnEmptyPacket() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.expectFile(254);
        byte[] stream = Hex.join(packet(254, "'1,a'", "0a"), packet(255, "03"), packet(0, "'x'"), packet(1), PING);
        assertThat(Streams.commands(scanner, stream, Streams.whole()))
                .containsExactly(
                        (stream.length - PING.length) + " FILE_END",
                        stream.length + " COMMAND_HEAD COM_PING \16 5 true",
                        stream.length + " COMMAND_END");
    }

    @Test
    void emptyContinuationIsNotTheEndOfTheFile() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.expectFile(2);
        // A full fragment is followed by an empty one: that is the end of a packet, not of the file.
        byte[] full = array(new PayloadWriter().zeros(PacketFramer.MAX_FRAGMENT).toPacket(2));
        byte[] stream = Hex.join(full, packet(4));
        assertThat(Streams.commands(scanner, stream, Streams.whole())).containsExactly(stream.length + " FILE_END");
    }

    @Test
    void authenticationIsOnePacket() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.expectAuthReply(2);
        byte[] stream = Hex.join(packet(2, "'01234567890123456789'"), PING);
        assertThat(Streams.commands(scanner, stream, Streams.whole()))
                .startsWith((stream.length - PING.length) + " AUTH_REPLY_END");
    }

    @Test
    void wrongSequenceIdIsRefusedAsServersDo() {
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> new CommandScanner(5).scan(ByteBuffer.wrap(packet(3, "0e"))))
                .withMessage(
                        "expected sequence id 0 of a packet from the client (COMMAND), but found 3 on one of 1 bytes")
                .extracting(ProtocolException::errorCode)
                .isEqualTo(ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER);
    }

    @Test
    void commandInTheWayOfAFileIsOutOfOrder() {
        CommandScanner scanner = new CommandScanner(5);
        scanner.scan(ByteBuffer.wrap(QUERY, 0, 3));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> scanner.expectFile(2))
                .extracting(ProtocolException::errorCode)
                .isEqualTo(ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER);
    }

    @Test
    void headLimitHasBounds() {
        assertThatIllegalArgumentException().isThrownBy(() -> new CommandScanner(4));
        assertThatIllegalArgumentException().isThrownBy(() -> new CommandScanner(PacketFramer.MAX_FRAGMENT));
    }

    private static byte[] array(ByteBuffer buffer) {
        byte[] result = new byte[buffer.remaining()];
        buffer.get(result);
        return result;
    }
}

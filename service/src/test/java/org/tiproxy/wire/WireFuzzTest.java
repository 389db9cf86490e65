package org.tiproxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.ComStmtExecute;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.EofPacket;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.LocalInfileRequest;
import org.tiproxy.wire.server.OkPacket;
import org.tiproxy.wire.server.ProgressReport;
import org.tiproxy.wire.server.SessionChange;
import org.tiproxy.wire.server.StmtPrepareOk;

/**
 * Whatever bytes a peer sends, the outcome is an event, a packet or a {@link ProtocolException}; memory is bounded, and
 * no loop is endless. The inputs are well-formed streams with random changes, from a fixed seed.
 */
class WireFuzzTest {
    private static final int ROUNDS = 5_000;
    private static final int CAPTURE_LIMIT = 128;

    @Test
    void responseScannerSurvivesAnything() {
        List<ResponseScannerTest.Case> corpus = ResponseScannerTest.responses().toList();
        Random random = new Random(11);
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            ResponseScannerTest.Case origin = corpus.get(random.nextInt(corpus.size()));
            byte[] stream = mutate(random, origin.stream());
            String whole = fuzzResponses(origin.capabilities(), origin.command(), stream, Streams.whole());
            String cut = fuzzResponses(origin.capabilities(), origin.command(), stream, Streams.atMost(random, 7));
            assertThat(cut).as("round %d, %s", i, origin).isEqualTo(whole);
            refused += whole.contains("refused") ? 1 : 0;
        }
        // Otherwise the changes would be too tame, or too wild, to say anything.
        assertThat(refused).isBetween(ROUNDS / 20, ROUNDS - ROUNDS / 20);
    }

    @Test
    void commandScannerSurvivesAnything() {
        // command, statement; command, statement id, flags, iteration count; command
        byte[] commands = Hex.join(
                Hex.packet(0, "03", "'select 1'"),
                Hex.packet(0, "17", "01000000", "00", "01000000"),
                Hex.packet(0, "0e"));
        Random random = new Random(12);
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            byte[] stream = mutate(random, commands);
            String whole = fuzzCommands(stream, Streams.whole());
            assertThat(fuzzCommands(stream, Streams.atMost(random, 5)))
                    .as("round %d", i)
                    .isEqualTo(whole);
            refused += whole.contains("refused") ? 1 : 0;
        }
        assertThat(refused).isBetween(ROUNDS / 20, ROUNDS - ROUNDS / 20);
    }

    @Test
    void packetsSurviveAnything() {
        List<Bytes> corpus = List.of(
                Hex.bytes(
                        "0a",
                        "'8.4'",
                        "00",
                        "01000000",
                        "'abcdefgh'",
                        "00",
                        "ffff",
                        "ff",
                        "0200",
                        "ffdf",
                        "15",
                        "00000000000000000000",
                        "'ijklmnopqrst'",
                        "00",
                        "'mysql_native_password'",
                        "00"),
                Hex.bytes(
                        "8da2",
                        "3900",
                        "00000001",
                        "2d",
                        "00".repeat(23),
                        "'root'",
                        "00",
                        "03",
                        "'abc'",
                        "'db'",
                        "00",
                        "'mysql_native_password'",
                        "00",
                        "04",
                        "01",
                        "'k'",
                        "01",
                        "'v'"),
                Hex.bytes("00", "00", "00", "0240", "0000", "00", "08", "01", "03", "02", "'db'", "02", "01", "'1'"),
                Hex.bytes("11", "'root'", "00", "03", "'abc'", "'db'", "00", "2d00", "'plugin'", "00"),
                Hex.bytes("ff", "1504", "'#28000'", "'Access denied'"),
                Hex.bytes("ff", "ffff", "01", "01", "02", "e80300", "04", "'copy'"),
                Hex.bytes("fe", "'client_ed25519'", "00", "'abcdefghijklmnopqrstuvwxyz012345'"));
        Random random = new Random(13);
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            Bytes payload = Bytes.of(
                    mutate(random, corpus.get(random.nextInt(corpus.size())).toByteArray()));
            refused += fuzzPackets(payload);
        }
        assertThat(refused).isPositive();
    }

    /** A fuzz target: events with their positions, and whether the stream was refused at the end. */
    static String fuzzResponses(long capabilities, Command command, byte[] stream, Streams.Cuts cuts) {
        ResponseScanner scanner = new ResponseScanner(capabilities, CAPTURE_LIMIT);
        StringBuilder seen = new StringBuilder();
        int offset = 0;
        int events = 0;
        try {
            scanner.begin(command);
            while (offset < stream.length) {
                int length = Math.min(stream.length - offset, cuts.next(stream.length - offset));
                ByteBuffer chunk = ByteBuffer.wrap(stream, offset, length).slice();
                ResponseEvent event;
                while ((event = scanner.scan(chunk)) != ResponseEvent.NEED_BYTES) {
                    seen.append(offset + chunk.position())
                            .append(Streams.describe(scanner, event))
                            .append(scanner.packet().hashCode())
                            .append(';');
                    // Every event takes a header at least: more events than bytes would be a loop.
                    assertThat(++events).isLessThanOrEqualTo(stream.length);
                    assertThat(scanner.packet().remaining()).isLessThanOrEqualTo(CAPTURE_LIMIT);
                    if (scanner.isIdle()) {
                        scanner.begin(Command.COM_QUERY);
                    }
                }
                assertThat(chunk.hasRemaining()).isFalse();
                offset += length;
            }
        } catch (ProtocolException expected) {
            seen.append("refused: ").append(expected.getMessage());
        }
        return seen.toString();
    }

    /** A fuzz target: events with their positions, and whether the stream was refused at the end. */
    static String fuzzCommands(byte[] stream, Streams.Cuts cuts) {
        CommandScanner scanner = new CommandScanner(16);
        StringBuilder seen = new StringBuilder();
        int offset = 0;
        int events = 0;
        try {
            while (offset < stream.length) {
                int length = Math.min(stream.length - offset, cuts.next(stream.length - offset));
                ByteBuffer chunk = ByteBuffer.wrap(stream, offset, length).slice();
                CommandEvent event;
                while ((event = scanner.scan(chunk)) != CommandEvent.NEED_BYTES) {
                    seen.append(offset + chunk.position())
                            .append(event)
                            .append(scanner.command())
                            .append(scanner.heldBytes().hashCode())
                            .append(scanner.hasStatementId() ? scanner.statementId() : "")
                            .append(';');
                    assertThat(++events).isLessThanOrEqualTo(2 * stream.length);
                    assertThat(scanner.heldBytes().remaining()).isLessThanOrEqualTo(20);
                }
                assertThat(chunk.hasRemaining()).isFalse();
                offset += length;
            }
        } catch (ProtocolException expected) {
            seen.append("refused: ").append(expected.getMessage());
        }
        return seen.toString();
    }

    /** A fuzz target: how many packet types have refused the payload. */
    static int fuzzPackets(Bytes payload) {
        List<Consumer<Bytes>> decoders = new ArrayList<>();
        // What could be decoded can be encoded again, and nothing shows its secrets by failing in toString.
        decoders.add(bytes -> HandshakeV10.decode(bytes).encode());
        decoders.add(bytes -> HandshakeResponse41.decode(bytes).encode());
        decoders.add(bytes -> HandshakeResponse41.decode(bytes).attributes().toMap());
        decoders.add(bytes -> SslRequest.decode(bytes).encode());
        for (long capabilities : new long[] {0, -1, Capability.CLIENT_SECURE_CONNECTION.mask()}) {
            decoders.add(bytes -> OkPacket.decode(bytes, capabilities).encode(capabilities));
            decoders.add(bytes -> ComChangeUser.decode(bytes, capabilities).encode(capabilities));
        }
        decoders.add(bytes -> OkPacket.decode(bytes, -1).sessionChanges().forEach(SessionChange::systemVariables));
        decoders.add(bytes -> OkPacket.decode(bytes, -1).sessionChanges().forEach(SessionChange::text));
        decoders.add(bytes -> ErrPacket.decode(bytes).encode());
        decoders.add(ProgressReport::decode);
        decoders.add(bytes -> EofPacket.decode(bytes).encode());
        decoders.add(bytes -> AuthSwitchRequest.decode(bytes).encode());
        decoders.add(bytes -> AuthMoreData.decode(bytes).encode());
        decoders.add(bytes -> LocalInfileRequest.decode(bytes).encode());
        decoders.add(bytes -> StmtPrepareOk.decode(bytes).encode());
        decoders.add(ComStmtExecute::decode);
        int refused = 0;
        for (Consumer<Bytes> decoder : decoders) {
            try {
                decoder.accept(payload);
            } catch (ProtocolException expected) {
                refused++;
            }
        }
        return refused;
    }

    /** One to four changes: other bits, bytes that mean something, bytes taken out, put in or repeated. */
    private static byte[] mutate(Random random, byte[] origin) {
        byte[] result = origin.clone();
        for (int changes = random.nextInt(4); changes >= 0 && result.length > 0; changes--) {
            int at = random.nextInt(result.length);
            switch (random.nextInt(5)) {
                case 0 -> result[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> result[at] = Hex.bytes("00fbfcfdfeff7f80").at(random.nextInt(8));
                case 2 -> result = Hex.join(head(result, at), tail(result, at + 1));
                case 3 -> {
                    byte[] inserted = new byte[1 + random.nextInt(8)];
                    random.nextBytes(inserted);
                    result = Hex.join(head(result, at), inserted, tail(result, at));
                }
                default -> result = Hex.join(head(result, at), tail(result, random.nextInt(at + 1)));
            }
        }
        return result;
    }

    private static byte[] head(byte[] source, int end) {
        return Bytes.of(source, 0, end).toByteArray();
    }

    private static byte[] tail(byte[] source, int start) {
        return Bytes.of(source, start, source.length - start).toByteArray();
    }
}

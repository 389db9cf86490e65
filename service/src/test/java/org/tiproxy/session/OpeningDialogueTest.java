package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.session.OpeningDialogue.Next;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.client.ComQuery;

/** What is answered from memory, and what must be brought back first. */
class OpeningDialogueTest {
    private static final byte[] SET = packet("SET sql_mode='ANSI'");
    private static final byte[] SET_NAMES = packet("SET NAMES utf8mb4");
    private static final byte[] SELECT = packet("SELECT 1");
    private static final byte[] OK = Packets.ok(1);

    private static byte[] packet(String sql) {
        ByteBuffer packet = ComQuery.of(sql).encode().toPacket(0);
        byte[] bytes = new byte[packet.remaining()];
        packet.get(bytes);
        return bytes;
    }

    private static OpeningStatement answered(byte[] packet, byte[] answer) {
        return new OpeningStatement(Bytes.of(packet), Bytes.of(answer));
    }

    private static OpeningDialogue dialogue(OpeningStatement... known) {
        return new OpeningDialogue(List.of(known), Packets.CLIENT_CAPABILITIES);
    }

    private static Next next(OpeningDialogue dialogue, byte[] packet) {
        return dialogue.next(packet, 0, packet.length);
    }

    @Test
    void whatWasSaidBeforeIsAnsweredFromMemory() {
        OpeningDialogue dialogue = dialogue(answered(SET, OK), answered(SET_NAMES, OK));
        assertThat(next(dialogue, SET)).isEqualTo(Next.ANSWER);
        assertThat(dialogue.length()).isEqualTo(SET.length);
        assertThat(dialogue.answer()).isEqualTo(Bytes.of(OK));
        assertThat(next(dialogue, SET_NAMES)).isEqualTo(Next.ANSWER);
        assertThat(dialogue.answer()).isEqualTo(Bytes.of(OK));
        assertThat(dialogue.said()).isEqualTo(dialogue.known());
        assertThat(dialogue.isAsking()).isFalse();
    }

    @Test
    void anotherOrderIsNoRepetition() {
        OpeningDialogue dialogue = dialogue(answered(SET, OK), answered(SET_NAMES, OK));
        assertThat(next(dialogue, SET_NAMES)).isEqualTo(Next.LEAVE);
        assertThat(dialogue.isAhead()).isTrue();
        assertThat(dialogue.said()).isEmpty();
        assertThatIllegalStateException().isThrownBy(dialogue::leave);
        dialogue.onConnection(List.of());
        // Now it is the first statement on a clean connection.
        assertThat(next(dialogue, SET_NAMES)).isEqualTo(Next.RECORD);
    }

    @Test
    void whatIsNewIsRememberedWithItsAnswer() {
        OpeningDialogue dialogue = dialogue(answered(SET, OK));
        next(dialogue, SET);
        dialogue.answer();
        assertThat(next(dialogue, SET_NAMES)).isEqualTo(Next.RECORD);
        dialogue.record(Bytes.of(SET_NAMES));
        assertThat(dialogue.isAsking()).isTrue();
        // The next one waits for its answer.
        assertThat(next(dialogue, SELECT)).isEqualTo(Next.WAIT);
        for (int i = 0; i < OK.length; i++) {
            assertThat(dialogue.heard(ByteBuffer.wrap(OK, i, 1))).isEqualTo(i == OK.length - 1);
        }
        assertThat(dialogue.known()).containsExactly(answered(SET, OK), answered(SET_NAMES, OK));
        assertThat(dialogue.said()).hasSize(2);
        assertThat(next(dialogue, SELECT)).isEqualTo(Next.LEAVE);
        dialogue.leave();
        assertThat(dialogue.isOver()).isTrue();
        assertThat(next(dialogue, SET)).isEqualTo(Next.OVER);
    }

    @Test
    void anErrEndsIt() {
        OpeningDialogue dialogue = dialogue();
        next(dialogue, SET);
        dialogue.record(Bytes.of(SET));
        assertThat(dialogue.heard(ByteBuffer.wrap(Packets.err(1, "no")))).isFalse();
        assertThat(dialogue.isOver()).isTrue();
        assertThat(dialogue.known()).isEmpty();
    }

    @Test
    void anAnswerThatIsNoneEndsItAndIsLeftToTheSession() {
        OpeningDialogue dialogue = dialogue();
        next(dialogue, SET);
        dialogue.record(Bytes.of(SET));
        assertThat(dialogue.heard(ByteBuffer.wrap(Hex.packet(7, "00 00 00")))).isFalse();
        assertThat(dialogue.isOver()).isTrue();
    }

    @Test
    void aPacketThatIsNotCompleteIsWaitedForUnlessItCannotBelong() {
        OpeningDialogue dialogue = dialogue(answered(SET, OK));
        for (int available = 0; available < SET.length; available++) {
            assertThat(dialogue.next(SET, 0, available)).isEqualTo(Next.WAIT);
        }
        assertThat(next(dialogue, new byte[4])).as("an empty packet").isEqualTo(Next.LEAVE);
        byte[] ping = Hex.packet(0, "0e");
        assertThat(next(dialogue, ping)).isEqualTo(Next.LEAVE);
        byte[] large = Hex.join(Hex.bytes("ff ff ff 00 03").toByteArray(), new byte[10]);
        assertThat(next(dialogue, large)).isEqualTo(Next.LEAVE);
    }

    /**
     * A client says anything; a backend, which is a list of what it has executed since it was clean, answers with the
     * number of statements before. Whatever happens, each answer is the one that a connection of its own would have given.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void everyAnswerIsThatOfAConnectionOfTheClientsOwn(long seed) {
        Random random = new Random(seed);
        byte[][] statements = {SET, SET_NAMES, packet("SET autocommit=0"), SELECT};
        List<byte[]> executed = new ArrayList<>();
        List<OpeningStatement> opening = List.of();
        for (int session = 0; session < 200; session++) {
            OpeningDialogue dialogue = new OpeningDialogue(opening, Packets.CLIENT_CAPABILITIES);
            List<byte[]> said = new ArrayList<>();
            boolean used = false;
            int length = random.nextInt(7);
            for (int i = 0; i < length; i++) {
                byte[] packet = statements[random.nextInt(random.nextInt(3) == 0 ? 4 : 2)];
                byte[] expected = answerAfter(said.size());
                said.add(packet);
                Next next = next(dialogue, packet);
                if (next == Next.LEAVE) {
                    if (dialogue.isAhead()) {
                        executed = new ArrayList<>(said.subList(0, said.size() - 1));
                        dialogue.onConnection(List.copyOf(dialogue.said()));
                    }
                    dialogue.leave();
                } else if (next == Next.ANSWER) {
                    assertThat(dialogue.answer().toByteArray()).isEqualTo(expected);
                    continue;
                }
                used = true;
                assertThat(executed).containsExactlyElementsOf(said.subList(0, said.size() - 1));
                if (next == Next.RECORD) {
                    dialogue.record(Bytes.of(packet));
                    assertThat(dialogue.heard(ByteBuffer.wrap(expected))).isTrue();
                }
                executed.add(packet);
            }
            if (used) {
                // Cleaned, and sometimes made ready for one that opens likewise.
                opening = random.nextBoolean() ? List.copyOf(dialogue.said()) : List.of();
                executed = new ArrayList<>(said.subList(0, opening.size()));
            }
        }
    }

    private static byte[] answerAfter(int count) {
        return Hex.packet(1, "00 %02x 00 0200 0000".formatted(count));
    }
}

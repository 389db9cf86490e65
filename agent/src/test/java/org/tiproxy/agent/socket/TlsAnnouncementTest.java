package org.tiproxy.agent.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TlsAnnouncementTest {
    /** Header, protocol 10, version "8.0", NUL, id, scramble, filler, flags f7ff without CLIENT_SSL, collation. */
    private static final String GREETING = "14000000 0a 382e3000 01000000 0102030405060708 00 fff7 2d";

    /** The same with the flag. */
    private static final String ANNOUNCED = "14000000 0a 382e3000 01000000 0102030405060708 00 ffff 2d";

    /** Header with the number 2, as behind a request for TLS, and flags with CLIENT_SSL. */
    private static final String ANSWER = "06000002 05aeff00 0000";

    private static final String CLEARED = "06000001 05a6ff00 0000";

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 7, 100})
    void theFlagIsSetInTheGreetingAndClearedInTheAnswerHoweverTheyAreCut(int length) {
        TlsAnnouncement announcement = new TlsAnnouncement();
        byte[] greeting = bytes(GREETING);
        for (int at = 0; at < greeting.length; at += length) {
            announcement.greeting(greeting, at, Math.min(length, greeting.length - at));
        }
        assertThat(greeting).isEqualTo(bytes(ANNOUNCED));

        byte[] answer = bytes(ANSWER);
        byte[] sent = new byte[answer.length];
        for (int at = 0; at < answer.length; at += length) {
            byte[] part = announcement.answer(answer, at, Math.min(length, answer.length - at));
            System.arraycopy(part, 0, sent, at, part.length);
        }
        assertThat(sent).isEqualTo(bytes(CLEARED));
        assertThat(answer).isEqualTo(bytes(ANSWER));
        assertThat(announcement.isOver()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"09000000 ff 1004 546f6f206d61", "0b000000 09 382e3000 01000000 010203"})
    void whatIsNoGreetingStaysAsItIs(String packet) {
        byte[] bytes = bytes(packet);

        new TlsAnnouncement().greeting(bytes, 0, bytes.length);

        assertThat(bytes).isEqualTo(bytes(packet));
    }
}

package org.tiproxy.agent.socket;

import java.util.Arrays;

/**
 * Lets a driver that insists on TLS believe in it. Within a process there is none: the step that would start it is woven
 * out, but before that some drivers look for CLIENT_SSL in the greeting, whose bytes pass here. In the driver's answer the
 * flag is cleared again. Used by the thread that logs in.
 */
final class TlsAnnouncement {
    private static final int HEADER = 4;
    private static final int PROTOCOL_10 = 10;
    /** CLIENT_SSL, 0x800, in the second byte of the flags. */
    private static final int FLAG = 0x08;
    /** In HandshakeV10, from the NUL behind the version to the flags' second byte: id, scramble, filler, first byte. */
    private static final int FROM_VERSION_TO_FLAGS = 4 + 8 + 1 + 2;
    /** In HandshakeResponse41: the sequence id, and the flags' second byte. */
    private static final int ANSWER_NUMBER = HEADER - 1;

    private static final int ANSWER_FLAGS = HEADER + 1;

    private int greeted;
    private int flagsAt = Integer.MAX_VALUE;
    private boolean greetingOver;
    private int answered;

    /** Sets the flag where it passes. */
    void greeting(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length && !greetingOver; i++, greeted++) {
            if (greeted == HEADER) {
                // An ERR packet, or a protocol that is not known here.
                greetingOver = bytes[i] != PROTOCOL_10;
            } else if (greeted > HEADER && flagsAt == Integer.MAX_VALUE && bytes[i] == 0) {
                flagsAt = greeted + FROM_VERSION_TO_FLAGS;
            } else if (greeted == flagsAt) {
                bytes[i] |= FLAG;
                greetingOver = true;
            }
        }
    }

    /**
     * The answer's bytes without the flag: the driver's own array stays as it is. MariaDB's 2.x number it as if they had
     * asked for TLS before.
     */
    byte[] answer(byte[] bytes, int offset, int length) {
        byte[] copy = Arrays.copyOfRange(bytes, offset, offset + length);
        int number = ANSWER_NUMBER - answered;
        if (number >= 0 && number < length) {
            copy[number] = 1;
        }
        int flags = ANSWER_FLAGS - answered;
        if (flags >= 0 && flags < length) {
            copy[flags] &= ~FLAG;
        }
        answered += length;
        return copy;
    }

    /** Whether nothing more is to be done. */
    boolean isOver() {
        return answered > ANSWER_FLAGS;
    }
}

package org.tiproxy.session;

import java.util.random.RandomGenerator;
import org.tiproxy.wire.Bytes;

/** Makes the scrambles that clients answer. As safe as the source of its random numbers; not thread-safe on its own. */
final class Scrambles {
    /** The usual length. */
    static final int LENGTH = 20;

    private static final int FIRST = 0x21;
    private static final int COUNT = 0x5e;

    private final RandomGenerator random;

    Scrambles(RandomGenerator random) {
        this.random = random;
    }

    /** Printable characters, as servers send them: a NUL would end the scramble for some clients. */
    Bytes next(int length) {
        byte[] scramble = new byte[length];
        for (int i = 0; i < length; i++) {
            scramble[i] = (byte) (FIRST + random.nextInt(COUNT));
        }
        return Bytes.of(scramble);
    }
}

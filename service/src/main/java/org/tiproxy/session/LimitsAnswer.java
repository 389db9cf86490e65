package org.tiproxy.session;

import java.util.Arrays;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.EofPacket;
import org.tiproxy.wire.server.ErrPacket;

/**
 * The answer to {@link CleaningStep#READ_LIMITS} or to SHOW GRANTS, packet by packet. Nothing of it is kept: the latter has
 * the hash of the password.
 */
final class LimitsAnswer {
    /** All limits begin so: MAX_QUERIES_PER_HOUR, MAX_USER_CONNECTIONS, MAX_STATEMENT_TIME and others. */
    private static final byte[] LIMIT = {'M', 'A', 'X', '_'};

    /** What {@link CleaningStep#SELECT_LIMITS} answers where there is none. */
    private static final byte[] NO_LIMIT = {1, '0'};

    private final boolean grants;
    private final int packetsBeforeRows;
    private int packets;
    private boolean limited;

    /** @param grants whether it is to SHOW GRANTS */
    LimitsAnswer(long capabilities, boolean grants) {
        this.grants = grants;
        packetsBeforeRows = 1 + 1 + (Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities) ? 0 : 1);
    }

    /** Takes the next packet; true if it is the last one. */
    boolean onPacket(byte[] packet) {
        packets++;
        int header = packet.length == 0 ? -1 : packet[0] & 0xff;
        if (header == ErrPacket.HEADER) {
            // Nothing is known.
            limited = true;
            return true;
        }
        if (packets <= packetsBeforeRows) {
            return false;
        }
        if (header == EofPacket.HEADER) {
            return true;
        }
        limited |= grants ? contains(packet, LIMIT) : !Arrays.equals(packet, NO_LIMIT);
        return false;
    }

    /** Whether the account may have limits; the name of a schema may look like one. */
    boolean mayBeLimited() {
        return limited;
    }

    private static boolean contains(byte[] bytes, byte[] part) {
        for (int start = 0; start <= bytes.length - part.length; start++) {
            int same = 0;
            while (same < part.length && bytes[start + same] == part[same]) {
                same++;
            }
            if (same == part.length) {
                return true;
            }
        }
        return false;
    }
}

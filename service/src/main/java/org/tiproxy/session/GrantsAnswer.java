package org.tiproxy.session;

import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.EofPacket;
import org.tiproxy.wire.server.ErrPacket;

/** The answer to SHOW GRANTS, packet by packet, of which nothing is kept: it has the hash of the password. */
final class GrantsAnswer {
    /** All limits begin so: MAX_QUERIES_PER_HOUR, MAX_USER_CONNECTIONS, MAX_STATEMENT_TIME and others. */
    private static final byte[] LIMIT = {'M', 'A', 'X', '_'};

    private final int packetsBeforeRows;
    private int packets;
    private boolean limited;

    GrantsAnswer(long capabilities) {
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
        limited |= contains(packet, LIMIT);
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

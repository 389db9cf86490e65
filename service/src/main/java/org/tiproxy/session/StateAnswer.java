package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.EofPacket;
import org.tiproxy.wire.server.ErrPacket;

/** The answer to {@link CleaningStep#SELECT_STATE}, packet by packet. */
final class StateAnswer {
    private static final int NULL = 0xfb;
    private static final int COLUMNS = 3;

    private final int packetsBeforeRows;
    private int packets;
    private boolean known;
    private @Nullable String role;
    private @Nullable String schema;
    private @Nullable String user;

    StateAnswer(long capabilities) {
        packetsBeforeRows = 1 + COLUMNS + (Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities) ? 0 : 1);
    }

    /** Takes the next packet; true if it is the last one. */
    boolean onPacket(byte[] packet) {
        packets++;
        int header = packet.length == 0 ? -1 : packet[0] & 0xff;
        if (header == ErrPacket.HEADER) {
            known = false;
            return true;
        }
        if (packets <= packetsBeforeRows) {
            return false;
        }
        if (header == EofPacket.HEADER) {
            // An EOF, or an OK that may have session changes behind it. A row that begins so has 16 MB.
            return true;
        }
        PayloadReader row = new PayloadReader("row", packet);
        role = text(row, "CURRENT_ROLE()");
        schema = text(row, "DATABASE()");
        user = text(row, "USER()");
        known = true;
        return false;
    }

    /** Whether there was an answer. A session may have seen to it that there is none. */
    boolean isKnown() {
        return known;
    }

    /** The active role; null if there is none. */
    @Nullable
    String role() {
        return role;
    }

    /** The default schema; null if there is none. */
    @Nullable
    String schema() {
        return schema;
    }

    /** Who is logged in, or whom the session has become. */
    @Nullable
    String user() {
        return user;
    }

    private static @Nullable String text(PayloadReader row, String column) {
        if (row.peek(column) == NULL) {
            row.skip(1, column);
            return null;
        }
        return row.lenencString(column);
    }
}

package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.CommandScanner;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.ResponseScanner;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.SessionTrackType;
import org.tiproxy.wire.protocol.StatusFlag;
import org.tiproxy.wire.server.OkPacket;
import org.tiproxy.wire.server.SessionChange;

/** Reports the default schema as COM_INIT_DB and the backend's session tracking change it. */
final class SchemaTracker {
    private final SessionListener listener;
    private final boolean sessionTrack;
    private final boolean deprecateEof;
    private @Nullable Deque<String> pending;

    SchemaTracker(SessionListener listener, long capabilities) {
        this.listener = listener;
        this.sessionTrack = Capability.CLIENT_SESSION_TRACK.isIn(capabilities);
        this.deprecateEof = Capability.CLIENT_DEPRECATE_EOF.isIn(capabilities);
    }

    /** A COM_INIT_DB is on its way. */
    void onInitDb(CommandScanner commands) {
        ByteBuffer head = commands.head();
        byte[] payload = new byte[head.remaining()];
        head.get(payload);
        if (pending == null) {
            pending = new ArrayDeque<>(2);
        }
        pending.add(
                commands.isHeadComplete()
                        ? Bytes.of(payload, 1, payload.length - 1).utf8()
                        : "");
    }

    /** The oldest COM_INIT_DB is answered. */
    void onInitDbAnswered(ResponseKind kind) {
        String schema = pending == null ? null : pending.poll();
        if (schema != null && kind == ResponseKind.OK) {
            listener.schemaChanged(schema);
        }
    }

    /** A result is over. */
    void onResult(ResponseScanner responses) {
        ResponseKind kind = responses.outcome().kind();
        boolean laidOutAsOk = kind == ResponseKind.OK || (kind == ResponseKind.RESULT_SET && deprecateEof);
        if (!sessionTrack
                || !StatusFlag.SERVER_SESSION_STATE_CHANGED.isIn(
                        responses.outcome().statusFlags())
                || !laidOutAsOk
                || responses.isTruncated()) {
            return;
        }
        ByteBuffer packet = responses.packet();
        byte[] ok = new byte[packet.remaining()];
        packet.get(ok);
        try {
            for (SessionChange change : OkPacket.decode(Bytes.of(ok), Capability.CLIENT_SESSION_TRACK.mask())
                    .sessionChanges()) {
                if (change.type() == SessionTrackType.SESSION_TRACK_SCHEMA) {
                    listener.schemaChanged(change.text());
                }
            }
        } catch (ProtocolException e) {
            // Only the display suffers: the packet passes as it is.
        }
    }
}

package org.tiproxy.wire.server;

import java.util.ArrayList;
import java.util.List;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.StatusFlag;

/**
 * OK_Packet: a command has succeeded; with CLIENT_DEPRECATE_EOF also the end of rows.
 *
 * @param header {@link #HEADER}, or {@link EofPacket#HEADER} at the end of rows
 * @param affectedRows unsigned
 * @param lastInsertId unsigned
 * @param statusFlags see {@link StatusFlag}
 * @param warnings their number
 * @param info a text for people; in MariaDB's answer to a login perhaps a hash of the certificate
 * @param sessionChanges in the server's order
 */
public record OkPacket(
        int header,
        long affectedRows,
        long lastInsertId,
        int statusFlags,
        int warnings,
        Bytes info,
        List<SessionChange> sessionChanges) {
    /** The usual first byte. */
    public static final int HEADER = 0x00;

    public OkPacket {
        sessionChanges = List.copyOf(sessionChanges);
    }

    /** An OK of our own without any text. */
    public static OkPacket of(int statusFlags) {
        return new OkPacket(HEADER, 0, 0, statusFlags, 0, Bytes.EMPTY, List.of());
    }

    /** Reads an OK; {@code capabilities} are those that both sides have set. */
    public static OkPacket decode(Bytes payload, long capabilities) {
        PayloadReader reader = new PayloadReader("OK_Packet", payload);
        int header = reader.int1("header");
        long affectedRows = reader.lenencInt("affected rows");
        long lastInsertId = reader.lenencInt("last insert id");
        int statusFlags = reader.int2("status flags");
        int warnings = reader.int2("warnings");
        if (!Capability.CLIENT_SESSION_TRACK.isIn(capabilities)) {
            return new OkPacket(header, affectedRows, lastInsertId, statusFlags, warnings, reader.rest(), List.of());
        }
        Bytes info = reader.hasRemaining() ? reader.lenencBytes("info") : Bytes.EMPTY;
        List<SessionChange> changes = StatusFlag.SERVER_SESSION_STATE_CHANGED.isIn(statusFlags) && reader.hasRemaining()
                ? decodeChanges(reader.lenencBytes("session changes"))
                : List.of();
        return new OkPacket(header, affectedRows, lastInsertId, statusFlags, warnings, info, changes);
    }

    /** Writes the payload in the layout for {@code capabilities}. */
    public PayloadWriter encode(long capabilities) {
        PayloadWriter writer = new PayloadWriter()
                .int1(header)
                .lenencInt(affectedRows)
                .lenencInt(lastInsertId)
                .int2(statusFlags)
                .int2(warnings);
        if (!Capability.CLIENT_SESSION_TRACK.isIn(capabilities)) {
            return writer.bytes(info);
        }
        boolean changed = StatusFlag.SERVER_SESSION_STATE_CHANGED.isIn(statusFlags);
        if (changed || !info.isEmpty()) {
            writer.lenencBytes(info);
        }
        if (changed) {
            PayloadWriter changes = new PayloadWriter();
            for (SessionChange change : sessionChanges) {
                changes.int1(change.code()).lenencBytes(change.data());
            }
            writer.lenencInt(changes.length()).bytes(changes.toByteArray());
        }
        return writer;
    }

    private static List<SessionChange> decodeChanges(Bytes block) {
        PayloadReader reader = new PayloadReader("session changes in OK_Packet", block);
        List<SessionChange> changes = new ArrayList<>();
        while (reader.hasRemaining()) {
            changes.add(new SessionChange(reader.int1("type"), reader.lenencBytes("data")));
        }
        return changes;
    }
}

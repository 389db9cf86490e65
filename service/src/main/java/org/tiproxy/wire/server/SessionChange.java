package org.tiproxy.wire.server;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.protocol.SessionTrackType;

/**
 * One entry of the session state tracking in an OK. Servers lay out some types differently, and may add types: so an
 * entry is found by its outer length, and {@code data} is looked into only on demand.
 *
 * @param code what the entry is about: {@link SessionTrackType#code}, or one unknown to us
 * @param data the entry's content
 */
public record SessionChange(int code, Bytes data) {
    /** What the entry is about; null if the server knows more types than we do. */
    public @Nullable SessionTrackType type() {
        return SessionTrackType.of(code);
    }

    /** For SESSION_TRACK_SYSTEM_VARIABLES: values by name, in the server's order. */
    public Map<String, String> systemVariables() {
        PayloadReader reader = new PayloadReader("system variables in OK_Packet", data);
        Map<String, String> values = new LinkedHashMap<>();
        while (reader.hasRemaining()) {
            values.put(reader.lenencString("name"), reader.lenencString("value"));
        }
        return values;
    }

    /** For SESSION_TRACK_SCHEMA, and the two about the transaction: the text. */
    public String text() {
        return new PayloadReader("session change in OK_Packet", data).lenencString("text");
    }
}

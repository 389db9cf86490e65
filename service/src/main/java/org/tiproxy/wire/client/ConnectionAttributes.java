package org.tiproxy.wire.client;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * What a client says about itself when it logs in: keys and values, in their encoded form, so that they can be passed
 * on unchanged.
 *
 * @param encoded pairs of length-encoded strings
 */
public record ConnectionAttributes(Bytes encoded) {
    /** No attributes. */
    public static final ConnectionAttributes NONE = new ConnectionAttributes(Bytes.EMPTY);

    /** Encodes attributes in the map's order. */
    public static ConnectionAttributes of(Map<String, String> attributes) {
        PayloadWriter writer = new PayloadWriter();
        attributes.forEach((key, value) -> writer.lenencString(key).lenencString(value));
        return new ConnectionAttributes(Bytes.of(writer.toByteArray()));
    }

    /** The attributes in the client's order. Clients may put anything there: not for logs as a whole. */
    public Map<String, String> toMap() {
        PayloadReader reader = new PayloadReader("connection attributes", encoded);
        Map<String, String> attributes = new LinkedHashMap<>();
        while (reader.hasRemaining()) {
            attributes.put(reader.lenencString("key"), reader.lenencString("value"));
        }
        return attributes;
    }
}

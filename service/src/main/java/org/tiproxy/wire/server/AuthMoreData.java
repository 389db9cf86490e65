package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * AuthMoreData: a further message of the authentication plugin.
 *
 * @param data what it means depends on the plugin
 */
public record AuthMoreData(Bytes data) {
    /** The first byte. */
    public static final int HEADER = 0x01;

    /** Reads an AuthMoreData. */
    public static AuthMoreData decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("AuthMoreData", payload);
        reader.expect(HEADER, "header");
        return new AuthMoreData(reader.rest());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(HEADER).bytes(data);
    }
}

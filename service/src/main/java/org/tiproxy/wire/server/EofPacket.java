package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * EOF_Packet: the end of definitions or rows, without CLIENT_DEPRECATE_EOF.
 *
 * @param warnings their number
 * @param statusFlags see {@link org.tiproxy.wire.protocol.StatusFlag}
 */
public record EofPacket(int warnings, int statusFlags) {
    /** The first byte. */
    public static final int HEADER = 0xfe;

    /** Reads an EOF. */
    public static EofPacket decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("EOF_Packet", payload);
        reader.expect(HEADER, "header");
        return new EofPacket(reader.int2("warnings"), reader.int2("status flags"));
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(HEADER).int2(warnings).int2(statusFlags);
    }
}

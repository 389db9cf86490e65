package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * LOCAL INFILE request: the client shall send a file.
 *
 * @param fileName as in the statement, in the connection's character set
 */
public record LocalInfileRequest(Bytes fileName) {
    /** The first byte. */
    public static final int HEADER = 0xfb;

    /** Reads a LOCAL INFILE request. */
    public static LocalInfileRequest decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("LOCAL INFILE request", payload);
        reader.expect(HEADER, "header");
        return new LocalInfileRequest(reader.rest());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(HEADER).bytes(fileName);
    }
}

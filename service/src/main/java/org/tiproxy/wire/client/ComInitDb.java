package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_INIT_DB: change the default schema.
 *
 * @param schema in the connection's character set
 */
public record ComInitDb(Bytes schema) {
    /** Reads a COM_INIT_DB. */
    public static ComInitDb decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_INIT_DB", payload);
        reader.expect(Command.COM_INIT_DB.code(), "command");
        return new ComInitDb(reader.rest());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_INIT_DB.code()).bytes(schema);
    }
}

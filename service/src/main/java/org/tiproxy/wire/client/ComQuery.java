package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_QUERY: statements as text. The layout is the one without CLIENT_QUERY_ATTRIBUTES.
 *
 * @param sql the statements, in the connection's character set; not shown by {@code toString}, as SQL may hold secrets
 */
public record ComQuery(Bytes sql) {
    /** Reads a COM_QUERY; the payload may be only the head of a larger one. */
    public static ComQuery decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_QUERY", payload);
        reader.expect(Command.COM_QUERY.code(), "command");
        return new ComQuery(reader.rest());
    }

    /** Statements of our own. */
    public static ComQuery of(String sql) {
        return new ComQuery(Bytes.ofUtf8(sql));
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_QUERY.code()).bytes(sql);
    }
}

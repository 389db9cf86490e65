package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_STMT_PREPARE: prepare a statement.
 *
 * @param sql the statement, in the connection's character set
 */
public record ComStmtPrepare(Bytes sql) {
    /** Reads a COM_STMT_PREPARE; the payload may be only the head of a larger one. */
    public static ComStmtPrepare decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_STMT_PREPARE", payload);
        reader.expect(Command.COM_STMT_PREPARE.code(), "command");
        return new ComStmtPrepare(reader.rest());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_STMT_PREPARE.code()).bytes(sql);
    }
}

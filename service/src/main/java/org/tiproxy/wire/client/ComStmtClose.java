package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_STMT_CLOSE: forget a prepared statement; never answered.
 *
 * @param statementId all 32 bits count
 */
public record ComStmtClose(int statementId) {
    /** Reads a COM_STMT_CLOSE. */
    public static ComStmtClose decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_STMT_CLOSE", payload);
        reader.expect(Command.COM_STMT_CLOSE.code(), "command");
        return new ComStmtClose(reader.int4("statement id"));
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_STMT_CLOSE.code()).int4(statementId);
    }
}

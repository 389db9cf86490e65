package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_STMT_FETCH: rows from a cursor.
 *
 * @param statementId all 32 bits count
 * @param rows how many at most; unsigned
 */
public record ComStmtFetch(int statementId, int rows) {
    /** Reads a COM_STMT_FETCH. */
    public static ComStmtFetch decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_STMT_FETCH", payload);
        reader.expect(Command.COM_STMT_FETCH.code(), "command");
        return new ComStmtFetch(reader.int4("statement id"), reader.int4("rows"));
    }
}

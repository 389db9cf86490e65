package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.protocol.Command;

/**
 * The head of COM_STMT_EXECUTE: execute a prepared statement. The parameters, whose layout depends on what was
 * prepared, follow it.
 *
 * @param statementId all 32 bits count; MariaDB uses -1 for the statement prepared last
 * @param flags the kind of cursor, and MySQL's {@link #PARAMETER_COUNT_AVAILABLE}
 */
public record ComStmtExecute(int statementId, int flags) {
    /** The length of the head. */
    public static final int LENGTH = 10;
    /** Flag: open a cursor that is read only. */
    public static final int CURSOR_TYPE_READ_ONLY = 1;
    /** Flag: the number of parameters is sent; only with CLIENT_QUERY_ATTRIBUTES. */
    public static final int PARAMETER_COUNT_AVAILABLE = 8;

    /** Reads the head of a COM_STMT_EXECUTE. */
    public static ComStmtExecute decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_STMT_EXECUTE", payload);
        reader.expect(Command.COM_STMT_EXECUTE.code(), "command");
        ComStmtExecute execute = new ComStmtExecute(reader.int4("statement id"), reader.int1("flags"));
        reader.skip(4, "iteration count");
        return execute;
    }

    /** Whether the client asks for a cursor; the server may ignore that. */
    public boolean wantsCursor() {
        return (flags & CURSOR_TYPE_READ_ONLY) != 0;
    }
}

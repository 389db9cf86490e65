package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * COM_STMT_PREPARE_OK: the first packet of the answer to COM_STMT_PREPARE.
 *
 * @param statementId all 32 bits count
 * @param columns their number, 0 to 65535
 * @param parameters their number, 0 to 65535
 * @param warnings their number
 */
public record StmtPrepareOk(int statementId, int columns, int parameters, int warnings) {
    /** The first byte. */
    public static final int HEADER = 0x00;

    /** Reads a COM_STMT_PREPARE_OK; servers before 5.0 send no warnings. */
    public static StmtPrepareOk decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_STMT_PREPARE_OK", payload);
        reader.expect(HEADER, "header");
        int statementId = reader.int4("statement id");
        int columns = reader.int2("number of columns");
        int parameters = reader.int2("number of parameters");
        int warnings = 0;
        if (reader.hasRemaining()) {
            reader.skip(1, "filler");
            warnings = reader.int2("warnings");
        }
        return new StmtPrepareOk(statementId, columns, parameters, warnings);
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter()
                .int1(HEADER)
                .int4(statementId)
                .int2(columns)
                .int2(parameters)
                .zeros(1)
                .int2(warnings);
    }
}

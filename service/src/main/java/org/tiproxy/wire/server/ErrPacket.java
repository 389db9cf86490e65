package org.tiproxy.wire.server;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * ERR_Packet: a command, or a connection, has failed.
 *
 * @param code the error code, 0 to 65535
 * @param sqlState five characters; null in an ERR in place of the greeting, which has none
 * @param message the text; malformed UTF-8 is replaced
 */
public record ErrPacket(int code, @Nullable String sqlState, String message) {
    /** The first byte. */
    public static final int HEADER = 0xff;
    /** MariaDB's progress reports have this error code: see {@link ProgressReport}. */
    public static final int PROGRESS_CODE = 0xffff;

    private static final int SQL_STATE_LENGTH = 5;

    /** An ERR of our own. */
    public static ErrPacket of(ErrorCode error, String message) {
        return new ErrPacket(error.code(), error.sqlState(), message);
    }

    /** Reads an ERR of any phase; a text that starts with a hash sign is preceded by the SQLSTATE. */
    public static ErrPacket decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("ERR_Packet", payload);
        reader.expect(HEADER, "header");
        int code = reader.int2("error code");
        String sqlState = null;
        if (reader.remaining() > SQL_STATE_LENGTH && reader.peek("SQLSTATE marker") == '#') {
            reader.skip(1, "SQLSTATE marker");
            sqlState = reader.bytes(SQL_STATE_LENGTH, "SQLSTATE").utf8();
        }
        return new ErrPacket(code, sqlState, reader.restString());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        PayloadWriter writer = new PayloadWriter().int1(HEADER).int2(code);
        if (sqlState != null) {
            writer.int1('#').string(sqlState);
        }
        return writer.string(message);
    }
}

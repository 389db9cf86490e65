package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_SET_OPTION: several statements per COM_QUERY or not, as CLIENT_MULTI_STATEMENTS.
 *
 * @param option {@link #MYSQL_OPTION_MULTI_STATEMENTS_ON} or {@link #MYSQL_OPTION_MULTI_STATEMENTS_OFF}
 */
public record ComSetOption(int option) {
    /** Several statements per COM_QUERY are allowed. */
    public static final int MYSQL_OPTION_MULTI_STATEMENTS_ON = 0;
    /** One statement per COM_QUERY. */
    public static final int MYSQL_OPTION_MULTI_STATEMENTS_OFF = 1;

    /** Reads a COM_SET_OPTION. */
    public static ComSetOption decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_SET_OPTION", payload);
        reader.expect(Command.COM_SET_OPTION.code(), "command");
        return new ComSetOption(reader.int2("option"));
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_SET_OPTION.code()).int2(option);
    }
}

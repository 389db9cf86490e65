package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_PROCESS_KILL: kill a connection.
 *
 * @param connectionId all 32 bits count
 */
public record ComProcessKill(int connectionId) {
    /** Reads a COM_PROCESS_KILL. */
    public static ComProcessKill decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("COM_PROCESS_KILL", payload);
        reader.expect(Command.COM_PROCESS_KILL.code(), "command");
        return new ComProcessKill(reader.int4("connection id"));
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new PayloadWriter().int1(Command.COM_PROCESS_KILL.code()).int4(connectionId);
    }
}

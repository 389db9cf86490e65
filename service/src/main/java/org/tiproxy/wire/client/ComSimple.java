package org.tiproxy.wire.client;

import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;

/** Commands that are nothing but their command byte: COM_PING, COM_RESET_CONNECTION, COM_QUIT, COM_STATISTICS. */
public final class ComSimple {
    private ComSimple() {}

    /** Writes the payload. */
    public static PayloadWriter encode(Command command) {
        return new PayloadWriter().int1(command.code());
    }
}

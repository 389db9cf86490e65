package org.tiproxy.inprocess;

import java.io.IOException;
import org.tiproxy.common.HostPort;
import org.tiproxy.wire.server.ErrPacket;

/** The backend has said no, in words that are for the client. */
final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient ErrPacket err;

    RefusedException(HostPort backend, ErrPacket err) {
        super("the backend " + backend + " refused: ERR " + err.code() + " " + err.message());
        this.err = err;
    }

    ErrPacket err() {
        return err;
    }
}

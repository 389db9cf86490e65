package org.tiproxy.inprocess;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.wire.server.ErrPacket;

/** The backend has said no, in words that are for the client. */
final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient ErrPacket err;
    private final @Nullable String unsupportedPlugin;

    RefusedException(HostPort backend, ErrPacket err) {
        this(backend, err, null);
    }

    /**
     * A login that has failed.
     *
     * @param unsupportedPlugin what the backend wants to authenticate with and we cannot; null if that is not the trouble
     */
    RefusedException(HostPort backend, ErrPacket err, @Nullable String unsupportedPlugin) {
        super("the backend " + backend + " refused: ERR " + err.code() + " " + err.message());
        this.err = err;
        this.unsupportedPlugin = unsupportedPlugin;
    }

    ErrPacket err() {
        return err;
    }

    @Nullable
    String unsupportedPlugin() {
        return unsupportedPlugin;
    }
}

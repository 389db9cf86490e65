package org.tiproxy.inprocess;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.session.ConnectionLimits;
import org.tiproxy.wire.server.ErrPacket;

/** The backend has said no, in words that are for the client. */
final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient HostPort backend;
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
        this.backend = backend;
        this.err = err;
        this.unsupportedPlugin = unsupportedPlugin;
    }

    HostPort backend() {
        return backend;
    }

    /** Whether it would have been another answer with fewer connections: of anybody, or of this user. */
    boolean isForWantOfRoom() {
        return isForWantOfRoomForAnybody() || ConnectionLimits.isUserFull(err);
    }

    /** Whether the backend has all the connections that it allows. */
    boolean isForWantOfRoomForAnybody() {
        return ConnectionLimits.isServerFull(err);
    }

    ErrPacket err() {
        return err;
    }

    @Nullable
    String unsupportedPlugin() {
        return unsupportedPlugin;
    }
}

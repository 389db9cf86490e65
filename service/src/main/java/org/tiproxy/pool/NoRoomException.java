package org.tiproxy.pool;

import java.io.IOException;

/** The peer was reached and has as many connections as it allows, of anybody's. */
public final class NoRoomException extends IOException {
    private static final long serialVersionUID = 1;

    /** @param message the peer's words */
    public NoRoomException(String message) {
        super(message);
    }
}

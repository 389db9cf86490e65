package org.tiproxy.pool.multiplex;

import java.io.IOException;

/** The peer sent what the protocol does not allow, so that nothing that follows can be trusted. */
public final class ProtocolException extends IOException {
    /** An exception with a message for people. */
    public ProtocolException(String message) {
        super(message);
    }
}

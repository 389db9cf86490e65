package org.tiproxy.wire;

import org.tiproxy.wire.protocol.ErrorCode;

/**
 * A peer has sent what the protocol does not allow. The message names what was expected, the offset and the sizes, and
 * never contains the bytes themselves. The connection cannot be used any longer, because nobody knows where the next
 * packet starts.
 */
public final class ProtocolException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ErrorCode errorCode;

    /** A packet that cannot be understood. */
    public ProtocolException(String message) {
        this(ErrorCode.ER_MALFORMED_PACKET, message);
    }

    /** A violation for which servers have an error code of their own; no stack trace, as peers can cause it at will. */
    public ProtocolException(ErrorCode errorCode, String message) {
        super(message, null, false, false);
        this.errorCode = errorCode;
    }

    /** What a server tells a client that does this. */
    public ErrorCode errorCode() {
        return errorCode;
    }
}

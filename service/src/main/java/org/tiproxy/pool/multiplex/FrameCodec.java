package org.tiproxy.pool.multiplex;

import java.nio.ByteBuffer;

/** What has to be known of a protocol to match its answers to its requests. Stateless; called by one thread at a time. */
public interface FrameCodec {
    /** {@link #frameLength} when more bytes are needed to say. */
    int INCOMPLETE = -1;

    /**
     * The whole length of the frame that begins at the buffer's position, header included, as soon as it can be told; the
     * frame itself need not have arrived. Must not move the position.
     *
     * @return 1 or more, or {@link #INCOMPLETE}
     * @throws ProtocolException if this is no frame: the connection is closed
     */
    int frameLength(ByteBuffer bytes) throws ProtocolException;

    /**
     * Which request the frame between position and limit answers. Must not move the position.
     *
     * @throws ProtocolException if this is no frame: the connection is closed
     */
    long requestId(ByteBuffer frame) throws ProtocolException;

    /** True for frames that answer nothing, such as heartbeats; they are dropped. */
    default boolean isUnsolicited(ByteBuffer frame) {
        return false;
    }

    /** The largest request id; ids run from 1 to this and begin again. */
    default long maxRequestId() {
        return Long.MAX_VALUE;
    }

    /** The longest frame that is accepted; a longer one closes the connection. */
    default int maxFrameLength() {
        return 16 << 20;
    }
}

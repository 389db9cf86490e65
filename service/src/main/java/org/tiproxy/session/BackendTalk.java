package org.tiproxy.session;

import java.nio.ByteBuffer;

/**
 * Something that the proxy itself says to a backend while no session has the connection: a login, a cleaning, a ping. What is
 * sent goes where the talk was told when it was made; the adapter brings the answers.
 */
public interface BackendTalk {
    /** The backend has sent bytes. Those behind the end are no answer to anything. */
    void bytes(ByteBuffer chunk);

    /** Whether no more answers are due. */
    boolean isOver();
}

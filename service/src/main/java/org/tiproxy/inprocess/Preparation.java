package org.tiproxy.inprocess;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.tiproxy.session.ConnectionPreparation;

/**
 * A {@link ConnectionPreparation} whose answers are read when the next session begins, so that nobody waits for them.
 *
 * @param work what was sent when the last session ended
 */
record Preparation(ConnectionPreparation work) implements BackendConnection.Talk {
    /** Reads all answers. */
    void finish(BackendConnection connection, long deadline) throws IOException {
        connection.converse(this, deadline);
        String failure = work.failure();
        if (failure != null) {
            throw new IOException(failure);
        }
        connection.became(work.result());
        connection.setOpening(work.opening());
    }

    @Override
    public void bytes(ByteBuffer chunk) {
        work.bytes(chunk);
    }

    @Override
    public boolean isOver() {
        return work.isOver();
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.ByteQueue;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.OpeningDialogue;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.Bytes;

/** Carries out an {@link OpeningDialogue} over a connection that its thread may wait for. */
final class Opening {
    private final BackendBroker broker;
    private final BackendRequest request;
    private final OpeningDialogue dialogue;
    private BackendConnection connection;
    private boolean used;
    private int sendable;

    Opening(BackendBroker broker, BackendConnection connection, BackendConnectionInfo info, BackendRequest request) {
        this.broker = broker;
        this.connection = connection;
        this.request = request;
        this.dialogue = new OpeningDialogue(connection.opening(), info.capabilities());
    }

    BackendRequest request() {
        return request;
    }

    boolean isOver() {
        return dialogue.isOver();
    }

    /** Whether nothing was said to the backend, so that the connection is as it was. */
    boolean isUnused() {
        return !used;
    }

    /** The statements with which this conversation began. */
    List<OpeningStatement> statements() {
        return dialogue.said();
    }

    /** Whether what the backend sends is an answer for the driver: until then, nothing is asked. */
    boolean isAsking() {
        return dialogue.isAsking();
    }

    /** How many of the bytes may be sent now. */
    int sendable(ByteQueue toBackend) {
        return dialogue.isOver() ? toBackend.length() : Math.min(sendable, toBackend.length());
    }

    /** So many bytes are sent. */
    void sent(int count) {
        sendable = Math.max(0, sendable - count);
    }

    /**
     * Looks at what the driver says, which is for the backend.
     *
     * @param deadline by which the backend has answered to the proxy, on {@link System#nanoTime}
     * @return the answer from memory, and what was said is taken off; null if there is none
     */
    byte @Nullable [] next(ByteQueue said, long deadline) throws IOException {
        switch (dialogue.next(said.array(), said.start(), said.length())) {
            case ANSWER -> {
                said.drop(dialogue.length());
                return dialogue.answer().toByteArray();
            }
            case RECORD -> {
                use(deadline);
                sendable = dialogue.length();
                dialogue.record(Bytes.of(said.array(), said.start(), sendable));
            }
            case LEAVE -> leave(deadline);
            case WAIT, OVER -> {}
        }
        return null;
    }

    /** Something else is going to be said: the connection must be as the conversation has made it so far. */
    void leave(long deadline) throws IOException {
        if (!dialogue.isOver()) {
            use(deadline);
            dialogue.leave();
        }
    }

    /**
     * The first thing that is really sent: a connection that has died while it was idle is replaced. One on which more was
     * said, whether it is this one or another in its place, is brought back.
     */
    private void use(long deadline) throws IOException {
        List<OpeningStatement> said = List.copyOf(statements());
        if (!used) {
            connection = broker.validated(request, said, deadline);
            dialogue.onConnection(connection.opening());
            used = true;
        }
        if (dialogue.isAhead()) {
            broker.rewind(connection, request, said, deadline);
            if (!connection.opening().equals(said)) {
                throw new IOException("the backend answers the driver's opening statements in another way than before:"
                        + " connect again");
            }
            dialogue.onConnection(connection.opening());
        }
    }

    /** The backend has sent bytes. */
    void heard(byte[] source, int offset, int length) {
        if (dialogue.heard(ByteBuffer.wrap(source, offset, length))) {
            connection.setOpening(dialogue.known());
        }
        if (dialogue.isOver() || !dialogue.isAsking()) {
            sendable = 0;
        }
    }
}

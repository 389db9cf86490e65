package org.tiproxy.inprocess;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PacketFramer;
import org.tiproxy.wire.protocol.Command;

/**
 * The start of a conversation over a borrowed connection: as long as the driver says what was said on that very connection
 * since it was clean, in the same order, it is answered with what the backend answered there. That is what the backend
 * would answer now, because nothing else has happened on the connection, and the statements depend on nothing else.
 *
 * <pre>
 * state      event                                                        next
 * PLAYING    the next statement of the connection's opening               PLAYING; it is answered from memory
 * PLAYING    all were said, and another one that may open                 RECORDING; it is sent
 * PLAYING    anything else, and all were said                             OVER
 * PLAYING    anything else, and not all were said                         OVER; the connection is brought back first
 * RECORDING  the answer is complete                                       PLAYING; the opening is longer by it
 * RECORDING  an ERR, or a long answer                                     OVER
 * </pre>
 */
final class Opening {
    private enum State {
        PLAYING,
        RECORDING,
        OVER
    }

    private static final int MAX_STATEMENTS = 16;

    private final BackendBroker broker;
    private final BackendRequest request;
    private BackendConnection connection;
    private State state = State.PLAYING;
    private int played;
    private boolean used;
    private int sendable;
    private OpeningStatement.@Nullable Recorder recorder;

    Opening(BackendBroker broker, BackendConnection connection, BackendRequest request) {
        this.broker = broker;
        this.connection = connection;
        this.request = request;
    }

    BackendRequest request() {
        return request;
    }

    boolean isOver() {
        return state == State.OVER;
    }

    /** Whether nothing was said to the backend, so that the connection is as it was. */
    boolean isUnused() {
        return !used;
    }

    /** The statements with which this conversation began. */
    List<OpeningStatement> statements() {
        List<OpeningStatement> known = connection.opening();
        return known.subList(0, Math.min(played, known.size()));
    }

    /** Whether what the backend sends is an answer for the driver: until then, nothing is asked. */
    boolean isAsking() {
        return state != State.PLAYING;
    }

    /** How many of the bytes may be sent now. */
    int sendable(ByteQueue toBackend) {
        return state == State.OVER ? toBackend.length() : Math.min(sendable, toBackend.length());
    }

    /** So many bytes are sent. */
    void sent(int count) {
        sendable = Math.max(0, sendable - count);
    }

    /**
     * Looks at what the driver says, which is for the backend.
     *
     * @return the answer from memory, and what was said is taken off; null if there is none
     */
    byte @Nullable [] next(ByteQueue said) throws IOException {
        if (state != State.PLAYING || said.length() == 0) {
            return null;
        }
        int length = packetLength(said);
        if (length < 0) {
            return null;
        }
        List<OpeningStatement> known = connection.opening();
        if (length > 0 && played < known.size() && isSaid(known.get(played).packet(), said, length)) {
            said.drop(length);
            return known.get(played++).answer().toByteArray();
        }
        boolean mayOpen = length > 0
                && played == known.size()
                && played < MAX_STATEMENTS
                && OpeningStatement.mayOpen(said.array(), said.start(), length);
        if (mayOpen) {
            use();
            record(Bytes.of(said.array(), said.start(), length));
            sendable = length;
        } else {
            leave();
        }
        return null;
    }

    /** Length of the first packet with its header; -1 if more of it is to come, 0 if it cannot be an opening statement. */
    private static int packetLength(ByteQueue said) {
        byte[] bytes = said.array();
        int start = said.start();
        int available = said.length();
        if (available <= PacketFramer.HEADER_LENGTH) {
            return -1;
        }
        int length = (bytes[start] & 0xff) | (bytes[start + 1] & 0xff) << 8 | (bytes[start + 2] & 0xff) << 16;
        if (length > OpeningStatement.MAX_ANSWER
                || (bytes[start + PacketFramer.HEADER_LENGTH] & 0xff) != Command.COM_QUERY.code()) {
            return 0;
        }
        int whole = length + PacketFramer.HEADER_LENGTH;
        return available < whole ? -1 : whole;
    }

    private static boolean isSaid(Bytes packet, ByteQueue said, int length) {
        if (packet.length() != length) {
            return false;
        }
        byte[] bytes = said.array();
        for (int i = 0; i < length; i++) {
            if (bytes[said.start() + i] != packet.at(i)) {
                return false;
            }
        }
        return true;
    }

    /** Something else is going to be said: the connection must be as the conversation has made it so far. */
    void leave() throws IOException {
        if (state == State.OVER) {
            return;
        }
        List<OpeningStatement> known = connection.opening();
        use();
        if (played < known.size()) {
            broker.rewind(connection, request, known.subList(0, played));
        }
        state = State.OVER;
    }

    /** The first thing that is really sent: a connection that has died while it was idle is replaced. */
    private void use() throws IOException {
        if (!used) {
            connection = broker.validated(request, statements());
            used = true;
        }
    }

    private void record(Bytes packet) throws IOException {
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IOException("it has not greeted");
        }
        recorder = new OpeningStatement.Recorder(List.of(packet), info.capabilities());
        state = State.RECORDING;
    }

    /** The backend has sent bytes. */
    void heard(byte[] source, int offset, int length) {
        OpeningStatement.Recorder current = recorder;
        if (state != State.RECORDING || current == null) {
            return;
        }
        current.bytes(ByteBuffer.wrap(source, offset, length));
        if (!current.isOver()) {
            return;
        }
        recorder = null;
        sendable = 0;
        if (current.failure() != null) {
            state = State.OVER;
            return;
        }
        List<OpeningStatement> longer = new ArrayList<>(connection.opening());
        longer.addAll(current.answered());
        connection.setOpening(longer);
        played++;
        state = State.PLAYING;
    }
}

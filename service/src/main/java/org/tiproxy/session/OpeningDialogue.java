package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PacketFramer;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.Command;

/**
 * The start of a conversation over a borrowed connection: as long as the client says what was said on that very connection
 * since it was clean, in the same order, it is answered with what the backend answered there. That is what the backend
 * would answer now, because nothing else has happened on the connection, and the statements depend on nothing else.
 *
 * <pre>
 * state      event                                                        next
 * PLAYING    the next statement of the connection's opening               PLAYING; {@link Next#ANSWER}
 * PLAYING    all were said, and another one that may open                 PLAYING; {@link Next#RECORD}
 * PLAYING    anything else                                                PLAYING; {@link Next#LEAVE}
 * PLAYING    {@link #record}, when all were said                          RECORDING
 * PLAYING    {@link #leave}, when all were said                           OVER
 * RECORDING  the answer is complete                                       PLAYING; the opening is longer by it
 * RECORDING  an ERR, or a long answer                                     OVER
 * </pre>
 *
 * <p>A connection on which more was said than this client has said must be brought back first, by cleaning it and saying
 * {@link #said} again: see {@link #isAhead}.
 *
 * <p>Not thread-safe.
 */
public final class OpeningDialogue {
    /** What is to be done about the client's next packet. */
    public enum Next {
        /** Nothing: more of it is to come, or the answer to the one before. */
        WAIT,
        /** It is answered by {@link #answer}, and the backend does not hear of it. */
        ANSWER,
        /** It goes to the backend, alone; {@link #record} is told. */
        RECORD,
        /** It does not belong to an opening, and goes to the backend with all that follows; {@link #leave} is told. */
        LEAVE,
        /** The dialogue is over. */
        OVER
    }

    private enum State {
        PLAYING,
        RECORDING,
        OVER
    }

    private static final int MAX_STATEMENTS = 16;

    private final long capabilities;
    private List<OpeningStatement> known;
    private State state = State.PLAYING;
    private int played;
    private int length;
    private OpeningStatement.@Nullable Recorder recorder;

    /**
     * A dialogue that begins now.
     *
     * @param known what was said on the connection since it was clean
     * @param capabilities of the connection
     */
    public OpeningDialogue(List<OpeningStatement> known, long capabilities) {
        this.known = known;
        this.capabilities = capabilities;
    }

    /** Whether everything goes to the backend now. */
    public boolean isOver() {
        return state == State.OVER;
    }

    /** Whether what the backend sends is an answer for the client: until then, nothing is asked. */
    public boolean isAsking() {
        return state != State.PLAYING;
    }

    /** Whether the connection is past what this client has said. */
    public boolean isAhead() {
        return played < known.size();
    }

    /** The statements with which this conversation began. */
    public List<OpeningStatement> said() {
        return known.subList(0, Math.min(played, known.size()));
    }

    /** What was said on the connection since it was clean; may be more than {@link #said}. */
    public List<OpeningStatement> known() {
        return known;
    }

    /** The connection was brought back, or is another one on which this was said since it was clean. */
    public void onConnection(List<OpeningStatement> saidThere) {
        known = saidThere;
    }

    /**
     * Looks at the client's next packet. The bytes stay where they are; {@link #length} of them are meant.
     *
     * @param available how many bytes there are
     */
    public Next next(byte[] bytes, int start, int available) {
        if (state == State.OVER) {
            return Next.OVER;
        }
        if (state == State.RECORDING || available == 0) {
            return Next.WAIT;
        }
        length = packetLength(bytes, start, available);
        if (length < 0) {
            return Next.WAIT;
        }
        if (length > 0 && isAhead() && isSame(known.get(played).packet(), bytes, start)) {
            return Next.ANSWER;
        }
        boolean mayOpen =
                length > 0 && !isAhead() && played < MAX_STATEMENTS && OpeningStatement.mayOpen(bytes, start, length);
        return mayOpen ? Next.RECORD : Next.LEAVE;
    }

    /** Length of the packet that {@link #next} has looked at, with its header. */
    public int length() {
        return length;
    }

    /** The answer to that packet, after {@link Next#ANSWER}. */
    public Bytes answer() {
        return known.get(played++).answer();
    }

    /** That packet is sent to the backend, after {@link Next#RECORD}. */
    public void record(Bytes packet) {
        requireLevel();
        recorder = new OpeningStatement.Recorder(List.of(packet), capabilities);
        state = State.RECORDING;
    }

    /** Something else is sent to the backend. */
    public void leave() {
        requireLevel();
        state = State.OVER;
    }

    private void requireLevel() {
        if (isAhead() || state == State.RECORDING) {
            throw new IllegalStateException("state " + state + ", said " + played + " of " + known.size());
        }
    }

    /**
     * The backend has sent bytes.
     *
     * @return whether the connection's opening is longer now: {@link #known}
     */
    public boolean heard(ByteBuffer bytes) {
        OpeningStatement.Recorder current = recorder;
        if (current == null) {
            return false;
        }
        boolean well;
        try {
            current.bytes(bytes);
            if (!current.isOver()) {
                return false;
            }
            well = current.failure() == null;
        } catch (ProtocolException e) {
            // Whoever reads the same bytes for the client says so.
            well = false;
        }
        recorder = null;
        if (!well) {
            state = State.OVER;
            return false;
        }
        List<OpeningStatement> longer = new ArrayList<>(known);
        longer.addAll(current.answered());
        known = List.copyOf(longer);
        played++;
        state = State.PLAYING;
        return true;
    }

    /** Length of the first packet with its header; -1 if more of it is to come, 0 if it cannot be an opening statement. */
    private static int packetLength(byte[] bytes, int start, int available) {
        if (available < PacketFramer.HEADER_LENGTH) {
            return -1;
        }
        int length = (bytes[start] & 0xff) | (bytes[start + 1] & 0xff) << 8 | (bytes[start + 2] & 0xff) << 16;
        if (length == 0 || length > OpeningStatement.MAX_ANSWER) {
            return 0;
        }
        if (available == PacketFramer.HEADER_LENGTH) {
            return -1;
        }
        if ((bytes[start + PacketFramer.HEADER_LENGTH] & 0xff) != Command.COM_QUERY.code()) {
            return 0;
        }
        int whole = length + PacketFramer.HEADER_LENGTH;
        return available < whole ? -1 : whole;
    }

    private boolean isSame(Bytes packet, byte[] bytes, int start) {
        if (packet.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[start + i] != packet.at(i)) {
                return false;
            }
        }
        return true;
    }
}

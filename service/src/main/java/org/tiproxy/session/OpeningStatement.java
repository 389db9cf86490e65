package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ResponseEvent;
import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.ResponseScanner;
import org.tiproxy.wire.protocol.Command;

/**
 * A statement that was run on a backend connection at the start of a conversation, see {@link OpeningText}, and what the
 * server has answered there.
 *
 * @param packet the COM_QUERY, with its header
 * @param answer the whole response, with its headers
 */
public record OpeningStatement(Bytes packet, Bytes answer) {
    /** More is not worth remembering. */
    public static final int MAX_ANSWER = 16 * 1024;

    /** Whether a packet, header included, may open a conversation. */
    public static boolean mayOpen(byte[] source, int offset, int length) {
        int payload = offset + 4;
        return length > 5
                && source[offset + 3] == 0
                && (source[payload] & 0xff) == Command.COM_QUERY.code()
                && OpeningText.matches(source, payload + 1, length - 5);
    }

    /** Collects the answers to statements that were sent, one after the other. Not thread-safe. */
    public static final class Recorder {
        private static final int CAPTURE = 512;

        private final List<Bytes> due;
        private final ResponseScanner scanner;
        private final List<OpeningStatement> answered = new ArrayList<>();
        private byte[] collected = new byte[256];
        private int length;
        private @Nullable String failure;

        /**
         * Of statements that are sent now.
         *
         * @param capabilities of the connection
         */
        public Recorder(List<Bytes> due, long capabilities) {
            this.due = due;
            this.scanner = new ResponseScanner(capabilities, CAPTURE);
            begin();
        }

        /** Takes what belongs to the answers, and leaves the rest. */
        public void bytes(ByteBuffer chunk) {
            while (chunk.hasRemaining() && !isOver()) {
                int start = chunk.position();
                ResponseEvent event = scanner.scan(chunk);
                collect(chunk, start);
                if (event == ResponseEvent.COMPLETE) {
                    onComplete();
                } else if (event != ResponseEvent.NEED_BYTES && event != ResponseEvent.RESULT_END) {
                    failure = event + " in the answer to an opening statement";
                }
            }
        }

        /** Whether no more answers are due, or one was not as it should be. */
        public boolean isOver() {
            return failure != null || answered.size() == due.size();
        }

        /** Why the connection is not as it should be; null if it is. */
        public @Nullable String failure() {
            return failure;
        }

        /** What was answered well. */
        public List<OpeningStatement> answered() {
            return answered;
        }

        private void begin() {
            length = 0;
            if (!isOver()) {
                scanner.begin(Command.COM_QUERY);
            }
        }

        private void collect(ByteBuffer chunk, int start) {
            int count = chunk.position() - start;
            if (length + count > MAX_ANSWER) {
                failure = "the answer to an opening statement has more than " + MAX_ANSWER + " bytes";
                return;
            }
            if (length + count > collected.length) {
                byte[] larger = new byte[Math.min(MAX_ANSWER, 2 * (length + count))];
                System.arraycopy(collected, 0, larger, 0, length);
                collected = larger;
            }
            for (int i = 0; i < count; i++) {
                collected[length++] = chunk.get(start + i);
            }
        }

        private void onComplete() {
            if (failure != null) {
                return;
            }
            if (scanner.outcome().kind() == ResponseKind.ERR) {
                failure = "an opening statement was answered with an ERR";
                return;
            }
            answered.add(new OpeningStatement(due.get(answered.size()), Bytes.of(collected, 0, length)));
            begin();
        }
    }
}

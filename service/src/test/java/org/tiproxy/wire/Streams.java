package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.protocol.StatusFlag;

/** Runs scanners over streams that are cut into chunks, and notes each event with its position. */
final class Streams {
    /** How a stream is cut into chunks. */
    interface Cuts {
        /** The length of the next chunk, at least 1. */
        int next(int remaining);
    }

    private Streams() {}

    static Cuts whole() {
        return remaining -> remaining;
    }

    static Cuts atMost(Random random, int bound) {
        return remaining -> 1 + random.nextInt(bound);
    }

    /** Events of the responses to {@code commands}, one after the other, up to the last one's end. */
    static List<String> responses(ResponseScanner scanner, byte[] stream, Cuts cuts, Command... commands) {
        List<String> events = new ArrayList<>();
        int command = 0;
        scanner.begin(commands[command++]);
        int offset = 0;
        while (offset < stream.length) {
            ByteBuffer chunk = chunk(stream, offset, cuts);
            ResponseEvent event;
            while ((event = scanner.scan(chunk)) != ResponseEvent.NEED_BYTES) {
                events.add((offset + chunk.position()) + " " + describe(scanner, event));
                if (event == ResponseEvent.COMPLETE && command < commands.length) {
                    scanner.begin(commands[command++]);
                }
            }
            offset += chunk.limit();
        }
        return events;
    }

    /** Events of the commands in a stream. */
    static List<String> commands(CommandScanner scanner, byte[] stream, Cuts cuts) {
        List<String> events = new ArrayList<>();
        int offset = 0;
        while (offset < stream.length) {
            ByteBuffer chunk = chunk(stream, offset, cuts);
            CommandEvent event;
            while ((event = scanner.scan(chunk)) != CommandEvent.NEED_BYTES) {
                String detail = event == CommandEvent.COMMAND_HEAD
                        ? " " + scanner.command() + " " + text(scanner.head()) + " "
                                + scanner.heldBytes().remaining() + " " + scanner.isHeadComplete()
                        : "";
                events.add((offset + chunk.position()) + " " + event + detail);
            }
            offset += chunk.limit();
        }
        return events;
    }

    /** What a test compares: the event, how the result ended, and the numbers that belong to that. */
    static String describe(ResponseScanner scanner, ResponseEvent event) {
        ResponseOutcome outcome = scanner.outcome();
        StringBuilder text = new StringBuilder(event.toString());
        if (outcome.kind() != ResponseKind.NONE) {
            text.append(' ').append(outcome.kind());
        }
        if (outcome.errorCode() != 0) {
            text.append(' ').append(outcome.errorCode());
        }
        if (outcome.statusFlags() != 0) {
            text.append(' ').append(StatusFlag.namesIn(outcome.statusFlags()));
        }
        if (outcome.affectedRows() != 0) {
            text.append(" affected=").append(outcome.affectedRows());
        }
        if (scanner.isTruncated()) {
            text.append(" truncated");
        }
        return text.toString();
    }

    static String text(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return Bytes.of(copy).utf8();
    }

    /** A chunk like those that adapters hand over: at any offset of its array, in any byte order, heap or direct. */
    private static ByteBuffer chunk(byte[] stream, int offset, Cuts cuts) {
        int length = Math.min(stream.length - offset, cuts.next(stream.length - offset));
        if (length % 3 == 0) {
            return ByteBuffer.allocateDirect(length).put(stream, offset, length).flip();
        }
        ByteBuffer chunk = ByteBuffer.wrap(stream, offset, length).slice();
        return length % 3 == 1 ? chunk.order(ByteOrder.LITTLE_ENDIAN) : chunk;
    }
}

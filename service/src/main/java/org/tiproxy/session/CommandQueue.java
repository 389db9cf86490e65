package org.tiproxy.session;

import org.tiproxy.wire.protocol.Command;

/**
 * The commands that wait for their response, oldest first: each in a number of 64 bits, so that none costs an object.
 * From the lowest bit on: command byte (9 bits, for the one that stands for no command), sequence id (8 bits), statement
 * id (upper 32 bits).
 */
final class CommandQueue {
    private static final int INITIAL = 4;
    /** What an idle session keeps at most. */
    private static final int KEPT = 16;

    private static final int COMMAND_MASK = 0x1ff;
    private static final int NO_COMMAND = 0x100;
    private static final int SEQUENCE_SHIFT = 9;
    private static final long SEQUENCE_MASK = 0xffL << SEQUENCE_SHIFT;
    private static final int STATEMENT_SHIFT = 32;

    private long[] ring = new long[INITIAL];
    private int first;
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(Command command, int sequenceId, int statementId) {
        if (size == ring.length) {
            grow();
        }
        int code = command.code() < 0 ? NO_COMMAND : command.code();
        ring[index(size++)] = ((long) statementId << STATEMENT_SHIFT) | ((long) sequenceId << SEQUENCE_SHIFT) | code;
    }

    /** The last packet of the newest command had this id. */
    void newestEndedWith(int sequenceId) {
        int newest = index(size - 1);
        ring[newest] = (ring[newest] & ~SEQUENCE_MASK) | ((long) sequenceId << SEQUENCE_SHIFT);
    }

    void removeOldest() {
        size--;
        first = (first + 1) & (ring.length - 1);
        if (size == 0 && ring.length > KEPT) {
            ring = new long[INITIAL];
            first = 0;
        }
    }

    Command command() {
        int code = (int) ring[first] & COMMAND_MASK;
        return code == NO_COMMAND ? Command.UNKNOWN : Command.of((byte) code);
    }

    int sequenceId() {
        return (int) ((ring[first] & SEQUENCE_MASK) >>> SEQUENCE_SHIFT);
    }

    int statementId() {
        return (int) (ring[first] >>> STATEMENT_SHIFT);
    }

    private int index(int offset) {
        return (first + offset) & (ring.length - 1);
    }

    private void grow() {
        long[] larger = new long[2 * ring.length];
        for (int i = 0; i < size; i++) {
            larger[i] = ring[index(i)];
        }
        ring = larger;
        first = 0;
    }
}

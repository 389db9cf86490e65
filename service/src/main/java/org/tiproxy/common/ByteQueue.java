package org.tiproxy.common;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Bytes that wait, in the order in which they came. Not thread-safe. */
public final class ByteQueue {
    private static final int KEPT = 64 * 1024;
    private static final byte[] NOTHING = {};

    private byte[] array = NOTHING;
    private int start;
    private int end;

    /** How many there are. */
    public int length() {
        return end - start;
    }

    /** Where they are now; the next call may move them. */
    public byte[] array() {
        return array;
    }

    /** Index of the first byte in {@link #array}. */
    public int start() {
        return start;
    }

    /** Adds a copy. */
    public void add(byte[] source, int offset, int length) {
        System.arraycopy(source, offset, array(length), end, length);
        end += length;
    }

    /** Adds a copy, and moves the position to the limit. */
    public void add(ByteBuffer bytes) {
        int length = bytes.remaining();
        bytes.get(array(length), end, length);
        end += length;
    }

    /** Moves up to {@code length} bytes, and returns how many. */
    public int take(byte[] target, int offset, int length) {
        int count = Math.min(length, length());
        System.arraycopy(array, start, target, offset, count);
        drop(count);
        return count;
    }

    /** Forgets the first {@code count}. */
    public void drop(int count) {
        start += count;
        if (start == end) {
            start = 0;
            end = 0;
            if (array.length > KEPT) {
                array = NOTHING;
            }
        }
    }

    /** Overwrites and drops everything. */
    public void clear() {
        Arrays.fill(array, start, end, (byte) 0);
        drop(length());
    }

    private byte[] array(int room) {
        if (room > array.length - end) {
            int length = length();
            byte[] target =
                    length + room <= array.length / 2 ? array : new byte[Math.max(length + room, 2 * array.length)];
            System.arraycopy(array, start, target, 0, length);
            array = target;
            start = 0;
            end = length;
        }
        return array;
    }
}

package org.tiproxy.inprocess;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Bytes that wait, in the order in which they came. Not thread-safe. */
final class ByteQueue {
    private static final int KEPT = 64 * 1024;
    private static final byte[] NOTHING = {};

    private byte[] array = NOTHING;
    private int start;
    private int end;

    int length() {
        return end - start;
    }

    byte[] array() {
        return array;
    }

    /** Index of the first byte in {@link #array}. */
    int start() {
        return start;
    }

    void add(byte[] source, int offset, int length) {
        System.arraycopy(source, offset, array(length), end, length);
        end += length;
    }

    void add(ByteBuffer bytes) {
        int length = bytes.remaining();
        bytes.get(array(length), end, length);
        end += length;
    }

    /** Moves up to {@code length} bytes. */
    int take(byte[] target, int offset, int length) {
        int count = Math.min(length, length());
        System.arraycopy(array, start, target, offset, count);
        drop(count);
        return count;
    }

    void drop(int count) {
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
    void clear() {
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

package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The first bytes of a packet, kept across chunks: a small reusable buffer that grows up to a limit, whatever the peer
 * sends.
 */
final class PacketCapture {
    private static final int INITIAL = 128;
    /** What an idle session keeps at most. */
    private static final int KEPT = 1024;

    private final int limit;
    private byte[] bytes = new byte[INITIAL];
    private int length;
    private boolean truncated;

    PacketCapture(int limit) {
        this.limit = limit;
    }

    /** Forgets the packet before; and its buffer, if that was larger than usual. */
    void clear() {
        length = 0;
        truncated = false;
        if (bytes.length > KEPT) {
            bytes = new byte[INITIAL];
        }
    }

    /** Takes from the chunk what it holds of the present fragment, as far as there is room. */
    void take(PacketFramer framer, ByteBuffer chunk) {
        int available = framer.available(chunk);
        int count = Math.min(available, limit - length);
        truncated |= count < available;
        reserve(count);
        framer.copy(chunk, bytes, length, count);
        length += count;
    }

    /** Adds a byte that is not part of the payload. */
    void add(int value) {
        reserve(1);
        bytes[length++] = (byte) value;
    }

    boolean isFull() {
        return length >= limit;
    }

    /** Whether the packet had more bytes than are kept. */
    boolean isTruncated() {
        return truncated;
    }

    int length() {
        return length;
    }

    byte[] array() {
        return bytes;
    }

    /** A read-only view from {@code offset} on; valid until the next change. */
    ByteBuffer view(int offset) {
        return ByteBuffer.wrap(bytes, offset, length - offset).slice().asReadOnlyBuffer();
    }

    private void reserve(int count) {
        if (count > bytes.length - length) {
            bytes = Arrays.copyOf(
                    bytes, Math.min(Math.max(length + count, 2 * bytes.length), Math.max(limit, INITIAL)));
        }
    }
}

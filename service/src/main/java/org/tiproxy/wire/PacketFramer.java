package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Finds the packets in a stream of bytes that arrives in chunks of any size. It keeps the header's bytes and a counter,
 * never the payload, and moves the position of the caller's chunk over what it has seen.
 *
 * <p>On the wire a packet is a header (three bytes of length, one of sequence id) and that many bytes. A length of
 * {@link #MAX_FRAGMENT} says that the next one continues the same payload: then each is a <em>fragment</em>, and what
 * the second and later ones contain has no meaning of its own.
 *
 * <pre>
 * state    method       next state
 * HEADER   readHeader   PAYLOAD when four bytes have been seen, else HEADER
 * PAYLOAD  skip, copy   HEADER when the fragment's last byte has been seen, else PAYLOAD
 * </pre>
 *
 * <p>Not safe for use by several threads.
 */
public final class PacketFramer {
    /** The length of a header. */
    public static final int HEADER_LENGTH = 4;

    /** The length of a fragment that is continued by the next one. */
    public static final int MAX_FRAGMENT = 0xffffff;

    private int header;
    private int headerBytes;
    private int remaining;
    private boolean inPayload;
    private boolean continuation;

    /** Whether a header has been seen and its fragment is not over; a fragment may be empty. */
    public boolean inPayload() {
        return inPayload;
    }

    /** Whether the next byte starts a packet: nothing of a header has been seen, and no fragment is to be continued. */
    public boolean atPacketStart() {
        return !inPayload && headerBytes == 0 && !continuation;
    }

    /** The length of the present fragment. */
    public int length() {
        return header & MAX_FRAGMENT;
    }

    /** The sequence id of the present fragment, 0 to 255. */
    public int sequenceId() {
        return header >>> 24;
    }

    /** Whether the present fragment continues the one before. */
    public boolean isContinuation() {
        return continuation;
    }

    /** Whether the packet's payload ends with the present fragment. */
    public boolean isLastFragment() {
        return length() != MAX_FRAGMENT;
    }

    /**
     * Reads the header, or what there is of it; only outside of a payload.
     *
     * @return whether the header is complete; otherwise the chunk is used up
     */
    public boolean readHeader(ByteBuffer chunk) {
        if (headerBytes == 0 && chunk.remaining() >= HEADER_LENGTH) {
            header = littleEndianInt(chunk, chunk.position());
            chunk.position(chunk.position() + HEADER_LENGTH);
        } else {
            if (headerBytes == 0) {
                if (!chunk.hasRemaining()) {
                    // What was seen last is still asked for.
                    return false;
                }
                header = 0;
            }
            while (headerBytes < HEADER_LENGTH) {
                if (!chunk.hasRemaining()) {
                    return false;
                }
                header |= (chunk.get() & 0xff) << (8 * headerBytes++);
            }
            headerBytes = 0;
        }
        remaining = length();
        inPayload = true;
        return true;
    }

    /** How many bytes of the present fragment the chunk holds. */
    public int available(ByteBuffer chunk) {
        return Math.min(remaining, chunk.remaining());
    }

    /**
     * Passes over what the chunk holds of the present fragment; only within a payload.
     *
     * @return whether the fragment is over; otherwise the chunk is used up
     */
    public boolean skip(ByteBuffer chunk) {
        int count = available(chunk);
        chunk.position(chunk.position() + count);
        return passed(count);
    }

    /**
     * Copies {@code count} bytes, at most as many as are available, and passes over them; does not end the fragment.
     */
    public void copy(ByteBuffer chunk, byte[] target, int offset, int count) {
        chunk.get(target, offset, count);
        remaining -= count;
    }

    /**
     * Passes over packets as a whole, as long as they are complete in the chunk, have one fragment, are not empty and
     * their first byte is less than {@code firstByteLimit}. Only outside of a payload. This is what makes a result of
     * many small rows cheap.
     */
    void skipWholePackets(ByteBuffer chunk, int firstByteLimit) {
        if (!atPacketStart()) {
            return;
        }
        boolean swap = chunk.order() == ByteOrder.BIG_ENDIAN;
        int limit = chunk.limit();
        int position = chunk.position();
        int lastHeader = header;
        while (limit - position > HEADER_LENGTH) {
            int word = chunk.getInt(position);
            int candidate = swap ? Integer.reverseBytes(word) : word;
            int size = candidate & MAX_FRAGMENT;
            if (size > limit - position - HEADER_LENGTH
                    || size == 0
                    || size == MAX_FRAGMENT
                    || (chunk.get(position + HEADER_LENGTH) & 0xff) >= firstByteLimit) {
                break;
            }
            lastHeader = candidate;
            position += HEADER_LENGTH + size;
        }
        header = lastHeader;
        chunk.position(position);
    }

    private boolean passed(int count) {
        remaining -= count;
        if (remaining > 0) {
            return false;
        }
        inPayload = false;
        continuation = !isLastFragment();
        return true;
    }

    private static int littleEndianInt(ByteBuffer chunk, int position) {
        int word = chunk.getInt(position);
        return chunk.order() == ByteOrder.BIG_ENDIAN ? Integer.reverseBytes(word) : word;
    }
}

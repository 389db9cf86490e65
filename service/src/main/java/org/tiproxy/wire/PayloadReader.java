package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of one payload from front to back. Names of methods are those of the manual: {@code int<n>},
 * {@code int<lenenc>}, {@code string<lenenc>}, {@code string<NUL>}, {@code string<EOF>}. Every method takes the field's
 * name for its message and throws {@link ProtocolException}, and nothing else, if the payload does not hold the field.
 *
 * <p>Not safe for use by several threads.
 */
public final class PayloadReader {
    private final String packet;
    private byte[] source;
    private int start;
    private int position;
    private int limit;

    /**
     * Reads {@code length} bytes of {@code source}, which must not change meanwhile. {@code packet} is for messages.
     */
    public PayloadReader(String packet, byte[] source, int offset, int length) {
        this.packet = packet;
        this.source = source;
        reset(source, offset, length);
    }

    /** Reads all of {@code payload}. */
    public PayloadReader(String packet, byte[] payload) {
        this(packet, payload, 0, payload.length);
    }

    /** Reads all of {@code payload}. */
    public PayloadReader(String packet, Bytes payload) {
        this(packet, payload.toByteArray());
    }

    /** Reads what remains in {@code payload}, whose position does not change. */
    public PayloadReader(String packet, ByteBuffer payload) {
        this(packet, copyOf(payload));
    }

    /** Starts over with another payload of the same kind. */
    void reset(byte[] newSource, int offset, int length) {
        source = newSource;
        start = offset;
        position = offset;
        limit = offset + length;
    }

    /** The bytes left to read. */
    public int remaining() {
        return limit - position;
    }

    /** Whether anything is left to read. */
    public boolean hasRemaining() {
        return position < limit;
    }

    /** How many bytes have been read. */
    public int offset() {
        return position - start;
    }

    /** The next byte, 0 to 255, without reading it. */
    public int peek(String field) {
        require(1, field);
        return source[position] & 0xff;
    }

    /** {@code int<1>}. */
    public int int1(String field) {
        require(1, field);
        return source[position++] & 0xff;
    }

    /** {@code int<2>}. */
    public int int2(String field) {
        return (int) fixedInt(2, field);
    }

    /** {@code int<3>}. */
    public int int3(String field) {
        return (int) fixedInt(3, field);
    }

    /** {@code int<4>}; may be negative, as its 32 bits are kept. */
    public int int4(String field) {
        return (int) fixedInt(4, field);
    }

    /** {@code int<8>}; may be negative, as its 64 bits are kept. */
    public long int8(String field) {
        return fixedInt(8, field);
    }

    /** {@code int<lenenc>}; may be negative, as its 64 bits are kept. */
    public long lenencInt(String field) {
        int first = int1(field);
        return switch (first) {
            case 0xfb, 0xff ->
                throw new ProtocolException(packet + ": expected a length-encoded integer of " + field + " at offset "
                        + (offset() - 1) + ", but its first byte is " + first);
            case 0xfc -> fixedInt(2, field);
            case 0xfd -> fixedInt(3, field);
            case 0xfe -> fixedInt(8, field);
            default -> first;
        };
    }

    /** {@code string<n>}. */
    public Bytes bytes(int length, String field) {
        require(length, field);
        Bytes result = Bytes.of(source, position, length);
        position += length;
        return result;
    }

    /** {@code string<lenenc>} as bytes. */
    public Bytes lenencBytes(String field) {
        return bytes(lenencLength(field), field);
    }

    /** {@code string<lenenc>} as text. */
    public String lenencString(String field) {
        return string(lenencLength(field), field);
    }

    /** {@code string<NUL>} as bytes, without the NUL. */
    public Bytes nulBytes(String field) {
        Bytes result = bytes(nulLength(field), field);
        position++;
        return result;
    }

    /** {@code string<NUL>} as text, without the NUL. */
    public String nulString(String field) {
        String result = string(nulLength(field), field);
        position++;
        return result;
    }

    /** {@code string<EOF>} as bytes: all that is left. */
    public Bytes rest() {
        return bytes(remaining(), "the rest");
    }

    /** {@code string<EOF>} as text: all that is left. */
    public String restString() {
        return string(remaining(), "the rest");
    }

    /** Passes over {@code length} bytes. */
    public void skip(int length, String field) {
        require(length, field);
        position += length;
    }

    /** Reads a byte that has one possible value. */
    public void expect(int expected, String field) {
        int actual = int1(field);
        if (actual != expected) {
            throw new ProtocolException(packet + ": expected " + expected + " as " + field + " at offset "
                    + (offset() - 1) + ", but it is " + actual);
        }
    }

    /** How many bytes are left in front of the next NUL; -1 if there is none. */
    public int lengthToNul() {
        for (int i = position; i < limit; i++) {
            if (source[i] == 0) {
                return i - position;
            }
        }
        return -1;
    }

    private int nulLength(String field) {
        int length = lengthToNul();
        if (length < 0) {
            throw new ProtocolException(packet + ": expected a NUL at the end of " + field + " which starts at offset "
                    + offset() + ", but there is none in the " + remaining() + " bytes up to the end");
        }
        return length;
    }

    private int lenencLength(String field) {
        long length = lenencInt(field);
        if (length < 0 || length > remaining()) {
            throw missing(Long.toUnsignedString(length), field);
        }
        return (int) length;
    }

    private String string(int length, String field) {
        require(length, field);
        String result = new String(source, position, length, StandardCharsets.UTF_8);
        position += length;
        return result;
    }

    private long fixedInt(int length, String field) {
        require(length, field);
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            value = value << 8 | (source[position + i] & 0xff);
        }
        position += length;
        return value;
    }

    private void require(int length, String field) {
        if (length < 0 || length > remaining()) {
            throw missing(Integer.toString(length), field);
        }
    }

    private ProtocolException missing(String length, String field) {
        return new ProtocolException(packet + ": expected " + length + " bytes of " + field + " at offset " + offset()
                + ", but only " + remaining() + " of " + (limit - start) + " are left");
    }

    private static byte[] copyOf(ByteBuffer payload) {
        byte[] copy = new byte[payload.remaining()];
        payload.get(payload.position(), copy);
        return copy;
    }
}

package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes the fields of one payload from front to back, and the packet around it. Names of methods are those of {@link
 * PayloadReader}. Not safe for use by several threads.
 */
public final class PayloadWriter {
    private byte[] target = new byte[64];
    private int length;

    /** {@code int<1>}. */
    public PayloadWriter int1(int value) {
        return fixedInt(value, 1);
    }

    /** {@code int<2>}. */
    public PayloadWriter int2(int value) {
        return fixedInt(value, 2);
    }

    /** {@code int<3>}. */
    public PayloadWriter int3(int value) {
        return fixedInt(value, 3);
    }

    /** {@code int<4>}. */
    public PayloadWriter int4(int value) {
        return fixedInt(value, 4);
    }

    /** {@code int<8>}. */
    public PayloadWriter int8(long value) {
        return fixedInt(value, 8);
    }

    /** {@code int<lenenc>} of a value whose 64 bits count as unsigned, in its shortest form. */
    public PayloadWriter lenencInt(long value) {
        if (value >= 0 && value < 0xfb) {
            return int1((int) value);
        }
        if (value >= 0 && value <= 0xffff) {
            return int1(0xfc).int2((int) value);
        }
        if (value >= 0 && value <= 0xffffff) {
            return int1(0xfd).int3((int) value);
        }
        return int1(0xfe).int8(value);
    }

    /** {@code string<n>}, {@code string<EOF>}: the bytes as they are. */
    public PayloadWriter bytes(Bytes value) {
        return bytes(value.toByteArray());
    }

    /** {@code string<n>}, {@code string<EOF>}: the bytes as they are. */
    public PayloadWriter bytes(byte[] value) {
        reserve(value.length);
        System.arraycopy(value, 0, target, length, value.length);
        length += value.length;
        return this;
    }

    /** {@code string<n>}, {@code string<EOF>}: the text in UTF-8. */
    public PayloadWriter string(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    /** {@code string<lenenc>}. */
    public PayloadWriter lenencBytes(Bytes value) {
        return lenencInt(value.length()).bytes(value);
    }

    /** {@code string<lenenc>}. */
    public PayloadWriter lenencString(String value) {
        return lenencBytes(Bytes.ofUtf8(value));
    }

    /** {@code string<NUL>}; a NUL within the value is refused, as it would start the next field. */
    public PayloadWriter nulBytes(Bytes value) {
        for (int i = 0; i < value.length(); i++) {
            if (value.at(i) == 0) {
                throw new IllegalArgumentException(
                        "a NUL at offset " + i + " of " + value.length() + " bytes of a NUL-terminated string");
            }
        }
        return bytes(value).int1(0);
    }

    /** {@code string<NUL>}. */
    public PayloadWriter nulString(String value) {
        return nulBytes(Bytes.ofUtf8(value));
    }

    /** {@code count} NULs. */
    public PayloadWriter zeros(int count) {
        reserve(count);
        Arrays.fill(target, length, length + count, (byte) 0);
        length += count;
        return this;
    }

    /** How many bytes have been written. */
    public int length() {
        return length;
    }

    /** A copy of what has been written. */
    public byte[] toByteArray() {
        return Arrays.copyOf(target, length);
    }

    /** What has been written, as a packet: cut into fragments if it is too large for one, each with its header. */
    public ByteBuffer toPacket(int sequenceId) {
        int fragments = length / PacketFramer.MAX_FRAGMENT + 1;
        ByteBuffer packet = ByteBuffer.allocate(Math.addExact(length, fragments * PacketFramer.HEADER_LENGTH));
        int offset = 0;
        for (int i = 0; i < fragments; i++) {
            int size = Math.min(length - offset, PacketFramer.MAX_FRAGMENT);
            packet.put((byte) size).put((byte) (size >> 8)).put((byte) (size >> 16));
            packet.put((byte) (sequenceId + i));
            packet.put(target, offset, size);
            offset += size;
        }
        return packet.flip();
    }

    private PayloadWriter fixedInt(long value, int size) {
        reserve(size);
        for (int i = 0; i < size; i++) {
            target[length++] = (byte) (value >> (8 * i));
        }
        return this;
    }

    private void reserve(int count) {
        int needed = Math.addExact(length, count);
        if (needed > target.length) {
            target = Arrays.copyOf(target, Math.max(needed, 2 * target.length));
        }
    }
}

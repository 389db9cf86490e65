package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import org.tiproxy.wire.PacketFramer;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * One leg while whole packets are exchanged on it: collects what comes in, frames what goes out, and counts the sequence
 * ids of both, which differ between the legs as soon as only one of them has seen an SSLRequest. Payloads may be secrets,
 * so buffers are overwritten when they are done with.
 */
final class PacketLeg {
    private static final byte[] NOTHING = {};
    private static final int INITIAL = 256;

    private final PacketFramer framer = new PacketFramer();
    private final int maxLength;
    private final boolean strict;
    private final Consumer<ByteBuffer> sink;
    private byte[] buffer = NOTHING;
    private int length;
    private int nextSequenceId;

    /**
     * A leg in front of its first packet.
     *
     * @param maxLength of a payload, less than a full fragment
     * @param strict whether a wrong sequence id is an error
     * @param sink takes what is sent, and copies it
     */
    PacketLeg(int maxLength, boolean strict, Consumer<ByteBuffer> sink) {
        this.maxLength = maxLength;
        this.strict = strict;
        this.sink = sink;
    }

    /**
     * Reads up to the end of the next packet, and not further.
     *
     * @return whether a packet is complete; otherwise the chunk is used up
     * @throws ProtocolException as soon as the header is wrong
     */
    boolean read(ByteBuffer chunk) {
        if (!framer.inPayload()) {
            if (!framer.readHeader(chunk)) {
                return false;
            }
            checkHeader();
            length = 0;
        }
        int count = framer.available(chunk);
        reserve(count);
        framer.copy(chunk, buffer, length, count);
        length += count;
        return framer.skip(chunk);
    }

    /** Takes the payload of the complete packet; the caller overwrites it if it is a secret. */
    byte[] takePayload() {
        byte[] payload = Arrays.copyOf(buffer, length);
        Arrays.fill(buffer, 0, length, (byte) 0);
        length = 0;
        return payload;
    }

    /** Sends a payload, with the next sequence id. */
    void send(byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(PacketFramer.HEADER_LENGTH + payload.length);
        packet.put((byte) payload.length).put((byte) (payload.length >> 8)).put((byte) (payload.length >> 16));
        packet.put((byte) nextSequenceId).put(payload).flip();
        nextSequenceId = (nextSequenceId + 1) & 0xff;
        sink.accept(packet);
        Arrays.fill(packet.array(), (byte) 0);
    }

    /** The id that the next packet has, whoever sends it. */
    int nextSequenceId() {
        return nextSequenceId;
    }

    /** Goes on with another id. */
    void continueAt(int sequenceId) {
        nextSequenceId = sequenceId & 0xff;
    }

    /** Whether the next byte starts a packet. */
    boolean atPacketStart() {
        return framer.atPacketStart();
    }

    /** The last header's four bytes, the first one lowest. */
    int lastHeader() {
        return framer.sequenceId() << 24 | framer.length();
    }

    private void checkHeader() {
        int expected = nextSequenceId;
        nextSequenceId = (framer.sequenceId() + 1) & 0xff;
        if (strict && ForeignProtocol.of(lastHeader()) != null) {
            throw new ProtocolException(ErrorCode.ER_HANDSHAKE_ERROR, "expected the MySQL protocol");
        }
        if (strict && framer.sequenceId() != expected) {
            throw new ProtocolException(
                    ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER,
                    "expected sequence id " + expected + " of a packet in the connection phase, but found "
                            + framer.sequenceId() + " on one of " + framer.length() + " bytes");
        }
        if (framer.length() > maxLength) {
            throw new ProtocolException(
                    ErrorCode.ER_NET_PACKET_TOO_LARGE,
                    "expected a packet of at most " + maxLength
                            + " bytes in the connection phase, but its header announces " + framer.length());
        }
    }

    /** Grows with what has arrived, not with what a header announces. */
    private void reserve(int count) {
        if (count > buffer.length - length) {
            byte[] larger = new byte[Math.min(maxLength, Math.max(length + count, Math.max(INITIAL, 2 * length)))];
            System.arraycopy(buffer, 0, larger, 0, length);
            Arrays.fill(buffer, (byte) 0);
            buffer = larger;
        }
    }
}

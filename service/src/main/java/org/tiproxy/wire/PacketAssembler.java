package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * Collects whole packets, up to a limit, for those few that must be understood as a whole: the connection phase and the
 * authentication in COM_CHANGE_USER. Not safe for use by several threads.
 */
public final class PacketAssembler {
    private final PacketFramer framer = new PacketFramer();
    private final int maxLength;
    private byte[] payload = new byte[0];
    private int length;
    private boolean complete;

    /** Refuses packets whose payload has more than {@code maxLength} bytes. */
    public PacketAssembler(int maxLength) {
        this.maxLength = maxLength;
    }

    /**
     * Reads from {@code chunk} up to the end of the next packet, and not further.
     *
     * @return whether a packet is complete; otherwise the chunk is used up
     * @throws ProtocolException if the packet is larger than the limit; its payload has not been collected
     */
    public boolean read(ByteBuffer chunk) {
        if (complete) {
            complete = false;
            length = 0;
        }
        while (true) {
            if (!framer.inPayload()) {
                if (!framer.readHeader(chunk)) {
                    return false;
                }
                if (framer.length() > maxLength - length) {
                    throw new ProtocolException(
                            ErrorCode.ER_NET_PACKET_TOO_LARGE,
                            "expected a packet of at most " + maxLength + " bytes, but the header announces "
                                    + framer.length() + " after " + length);
                }
            }
            int count = framer.available(chunk);
            reserve(count);
            framer.copy(chunk, payload, length, count);
            length += count;
            if (!framer.skip(chunk)) {
                return false;
            }
            if (framer.isLastFragment()) {
                complete = true;
                return true;
            }
        }
    }

    /** Whether the next byte starts a packet. */
    public boolean atPacketStart() {
        return framer.atPacketStart();
    }

    /** A copy of the payload of the complete packet. */
    public Bytes payload() {
        return Bytes.of(payload, 0, length);
    }

    /** The sequence id of the complete packet (of its last fragment), 0 to 255. */
    public int sequenceId() {
        return framer.sequenceId();
    }

    /** Grows with what has arrived, not with what a header announces. */
    private void reserve(int count) {
        if (count > payload.length - length) {
            payload = Arrays.copyOf(payload, Math.min(maxLength, Math.max(length + count, 2 * payload.length)));
        }
    }
}

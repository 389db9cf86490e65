package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;

/** Takes what a state machine sends, packet by packet. */
final class SentPackets implements Consumer<ByteBuffer> {
    /** One packet. */
    record Packet(int sequenceId, Bytes payload) {
        int header() {
            return payload.at(0) & 0xff;
        }
    }

    private final List<Packet> packets = new ArrayList<>();

    @Override
    public void accept(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        PayloadReader reader = new PayloadReader("sent", copy);
        while (reader.hasRemaining()) {
            int length = reader.int3("length");
            int sequenceId = reader.int1("sequence id");
            packets.add(new Packet(sequenceId, reader.bytes(length, "payload")));
        }
    }

    /** What has been sent since the last call. */
    List<Packet> take() {
        List<Packet> taken = List.copyOf(packets);
        packets.clear();
        return taken;
    }

    /** The only packet since the last call, which has this sequence id. */
    Bytes takeOnly(int sequenceId) {
        List<Packet> taken = take();
        if (taken.size() != 1 || taken.get(0).sequenceId() != sequenceId) {
            throw new AssertionError("expected one packet with sequence id " + sequenceId + ", but found " + taken);
        }
        return taken.get(0).payload();
    }
}

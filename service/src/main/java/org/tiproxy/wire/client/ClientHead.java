package org.tiproxy.wire.client;

import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.ErrorCode;

/** The first 32 bytes of SSLRequest and HandshakeResponse41. */
record ClientHead(long capabilities, int maxPacketSize, int collationId) {
    private static final int FILLER = 19;

    static ClientHead read(PayloadReader reader) {
        int lower = reader.int2("capability flags, lower half");
        if (!Capability.CLIENT_PROTOCOL_41.isIn(lower)) {
            throw new ProtocolException(
                    ErrorCode.ER_HANDSHAKE_ERROR,
                    "HandshakeResponse41: expected CLIENT_PROTOCOL_41 in the capability flags at offset 0, but they are "
                            + lower + ": the protocol of clients before version 4.1 (HandshakeResponse320) is not "
                            + "supported");
        }
        long capabilities = lower | (long) reader.int2("capability flags, upper half") << 16;
        int maxPacketSize = reader.int4("max packet size");
        int collationId = reader.int1("character set");
        reader.skip(FILLER, "filler");
        long extended = reader.int4("MariaDB's extended capability flags") & 0xffff_ffffL;
        if (!Capability.CLIENT_LONG_PASSWORD.isIn(capabilities)) {
            capabilities |= extended << 32;
        }
        return new ClientHead(capabilities, maxPacketSize, collationId);
    }

    PayloadWriter write() {
        boolean mariaDb = !Capability.CLIENT_LONG_PASSWORD.isIn(capabilities);
        return new PayloadWriter()
                .int4((int) capabilities)
                .int4(maxPacketSize)
                .int1(collationId)
                .zeros(FILLER)
                .int4(mariaDb ? (int) (capabilities >>> 32) : 0);
    }
}

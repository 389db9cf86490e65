package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Capability;

/**
 * Protocol::SSLRequest: the client's TLS hello follows. It is the beginning of a HandshakeResponse41, which comes
 * again, encrypted, as a whole.
 *
 * @param capabilities see {@link Capability}; MariaDB's extended flags are in the upper half
 * @param maxPacketSize a hint; unsigned
 * @param collationId one byte of it
 */
public record SslRequest(long capabilities, int maxPacketSize, int collationId) {
    /** The length of the payload. */
    public static final int LENGTH = 32;

    /** Whether a payload in place of a HandshakeResponse41 is an SSLRequest. */
    public static boolean matches(Bytes payload) {
        return payload.length() == LENGTH
                && Capability.CLIENT_SSL.isIn(new PayloadReader("SSLRequest", payload).int4("capability flags"));
    }

    /** Reads an SSLRequest. */
    public static SslRequest decode(Bytes payload) {
        ClientHead head = ClientHead.read(new PayloadReader("SSLRequest", payload));
        return new SslRequest(head.capabilities(), head.maxPacketSize(), head.collationId());
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        return new ClientHead(capabilities, maxPacketSize, collationId).write();
    }
}

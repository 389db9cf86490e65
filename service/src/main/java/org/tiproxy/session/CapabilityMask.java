package org.tiproxy.session;

import static org.tiproxy.wire.protocol.Capability.CLIENT_CAPABILITY_EXTENSION;
import static org.tiproxy.wire.protocol.Capability.CLIENT_COMPRESS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_CONNECT_ATTRS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_CONNECT_WITH_DB;
import static org.tiproxy.wire.protocol.Capability.CLIENT_LONG_PASSWORD;
import static org.tiproxy.wire.protocol.Capability.CLIENT_OPTIONAL_RESULTSET_METADATA;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PLUGIN_AUTH;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PROTOCOL_41;
import static org.tiproxy.wire.protocol.Capability.CLIENT_QUERY_ATTRIBUTES;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SECURE_CONNECTION;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SSL;
import static org.tiproxy.wire.protocol.Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM;
import static org.tiproxy.wire.protocol.Capability.MARIADB_CLIENT_BULK_UNIT_RESULTS;
import static org.tiproxy.wire.protocol.Capability.MARIADB_CLIENT_EXTENDED_METADATA;
import static org.tiproxy.wire.protocol.Capability.MARIADB_CLIENT_STMT_BULK_OPERATIONS;
import static org.tiproxy.wire.protocol.Capability.MULTI_FACTOR_AUTHENTICATION;

import org.tiproxy.wire.protocol.Capability;

/** Which capability flags pass between client and backend, and how they are changed in the packets that carry them. */
final class CapabilityMask {
    /** Features of the lower 32 bits that change what the scanners or the login rely on. */
    private static final long MASKED = Capability.setOf(
            CLIENT_COMPRESS,
            CLIENT_OPTIONAL_RESULTSET_METADATA,
            CLIENT_ZSTD_COMPRESSION_ALGORITHM,
            CLIENT_QUERY_ATTRIBUTES,
            MULTI_FACTOR_AUTHENTICATION,
            CLIENT_CAPABILITY_EXTENSION);

    /** Of MariaDB's flags only those pass that are known to be harmless; PROGRESS and CACHE_METADATA are not. */
    private static final long EXTENDED_PASSED = Capability.setOf(
            MARIADB_CLIENT_STMT_BULK_OPERATIONS, MARIADB_CLIENT_EXTENDED_METADATA, MARIADB_CLIENT_BULK_UNIT_RESULTS);

    /**
     * Flags that say how HandshakeResponse41 itself is laid out, and bit 0, whose absence says "MariaDB": these a client
     * may set although the backend did not.
     */
    private static final long CLIENTS_OWN = Capability.setOf(
            CLIENT_LONG_PASSWORD,
            CLIENT_CONNECT_WITH_DB,
            CLIENT_PROTOCOL_41,
            CLIENT_SECURE_CONNECTION,
            CLIENT_PLUGIN_AUTH,
            CLIENT_CONNECT_ATTRS,
            CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);

    private static final int RESPONSE_EXTENDED = 28;
    private static final int VERSION_OFFSET = 1;
    private static final int LOWER_HALF = 13;
    private static final int UPPER_HALF = 18;
    private static final int EXTENDED = 27;

    private CapabilityMask() {}

    /** What the client is offered of the backend's capabilities. */
    static long advertised(long backend, boolean clientTls) {
        long lower = backend & ~Capability.MARIADB_EXTENDED & ~MASKED & ~CLIENT_SSL.mask();
        return lower | (backend & EXTENDED_PASSED) | (clientTls ? CLIENT_SSL.mask() : 0);
    }

    /** What the backend is told of the client's capabilities. */
    static long passedOn(long client, long advertised, boolean backendTls) {
        long passed = client & (advertised | CLIENTS_OWN) & ~CLIENT_SSL.mask();
        return passed | (backendTls ? CLIENT_SSL.mask() : 0);
    }

    /** Changes a valid HandshakeV10 in place. */
    static void patchGreeting(byte[] payload, long connectionId, long capabilities) {
        int start = VERSION_OFFSET;
        while (payload[start] != 0) {
            start++;
        }
        // From the thread id on, all offsets are fixed.
        start++;
        putInt(payload, start, 4, connectionId);
        putInt(payload, start + LOWER_HALF, 2, capabilities);
        if (payload.length < start + EXTENDED + 4) {
            return;
        }
        putInt(payload, start + UPPER_HALF, 2, capabilities >>> 16);
        if (!CLIENT_LONG_PASSWORD.isIn(capabilities)) {
            putInt(payload, start + EXTENDED, 4, capabilities >>> 32);
        }
    }

    /** Changes a valid HandshakeResponse41 or SSLRequest in place. */
    static void patchResponse(byte[] payload, long capabilities) {
        putInt(payload, 0, 4, capabilities);
        if (!CLIENT_LONG_PASSWORD.isIn(capabilities)) {
            putInt(payload, RESPONSE_EXTENDED, 4, capabilities >>> 32);
        }
    }

    private static void putInt(byte[] target, int offset, int size, long value) {
        for (int i = 0; i < size; i++) {
            target[offset + i] = (byte) (value >>> (8 * i));
        }
    }
}

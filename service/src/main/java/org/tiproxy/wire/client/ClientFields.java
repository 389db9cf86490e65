package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/** Fields that HandshakeResponse41 and COM_CHANGE_USER have in common. */
final class ClientFields {
    private static final int MAX_SHORT_LENGTH = 0xff;

    private ClientFields() {}

    /** A NUL-terminated string; clients leave out the NUL where the packet ends. */
    static Bytes nulOrRest(PayloadReader reader, String field) {
        return reader.lengthToNul() < 0 ? reader.rest() : reader.nulBytes(field);
    }

    /** Bytes behind one byte of length. */
    static void shortBytes(PayloadWriter writer, Bytes value) {
        if (value.length() > MAX_SHORT_LENGTH) {
            throw new IllegalArgumentException("an auth response of " + value.length()
                    + " bytes needs CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA, as it has more than " + MAX_SHORT_LENGTH);
        }
        writer.int1(value.length()).bytes(value);
    }
}

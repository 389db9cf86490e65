package org.tiproxy.session;

import java.nio.ByteBuffer;

/** What a client sends before the greeting: in MySQL the server speaks first, so this is some other protocol. */
final class SpokenFirst {
    private int header;
    private int bytes;

    /** Takes all, and ends the session as soon as it is clear what the client speaks. */
    void take(ByteBuffer chunk) {
        while (chunk.hasRemaining() && bytes < Integer.BYTES) {
            header |= (chunk.get() & 0xff) << (8 * bytes++);
        }
        if (bytes == Integer.BYTES) {
            EndReason foreign = ForeignProtocol.of(header);
            throw foreign == null
                    ? SessionFailure.silent(EndReason.SPOKE_FIRST, "the client spoke before the server's greeting")
                    : SessionFailure.silent(foreign, ForeignProtocol.describe(foreign));
        }
    }
}

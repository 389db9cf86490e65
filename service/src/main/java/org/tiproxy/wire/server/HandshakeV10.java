package org.tiproxy.wire.server;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * Protocol::HandshakeV10: the server's greeting.
 *
 * @param serverVersion as sent. MariaDB before 11.0 puts "5.5.5-" in front, since replicas refused any other digit than
 *     5 there; drivers know that, so it must be kept when the greeting is forwarded. See {@link #displayVersion}.
 * @param connectionId the thread id; all 32 bits count
 * @param authPluginData the scramble without the NUL behind it, at least 8 bytes
 * @param capabilities see {@link Capability}; MariaDB's extended flags are in the upper half
 * @param collationId one byte of it
 * @param statusFlags see {@link org.tiproxy.wire.protocol.StatusFlag}
 * @param authPluginName empty without CLIENT_PLUGIN_AUTH
 */
public record HandshakeV10(
        String serverVersion,
        int connectionId,
        Bytes authPluginData,
        long capabilities,
        int collationId,
        int statusFlags,
        String authPluginName) {
    /** The first byte. */
    public static final int PROTOCOL_VERSION = 10;

    private static final String REPLICATION_PREFIX = "5.5.5-";
    private static final int FIRST_PART = 8;
    private static final int MIN_SECOND_PART = 13;
    private static final long LOWER_HALF = 0xffff;
    private static final int FILLER = 6;
    private static final int MAX_SCRAMBLE = 0xff;

    public HandshakeV10 {
        if (authPluginData.length() < FIRST_PART || authPluginData.length() > MAX_SCRAMBLE) {
            throw new IllegalArgumentException("a scramble of " + authPluginData.length() + " bytes is not between "
                    + FIRST_PART + " and " + MAX_SCRAMBLE);
        }
    }

    /**
     * Reads a greeting.
     *
     * @throws ProtocolException also for protocol versions other than 10; an ERR in its place must be looked for before
     */
    public static HandshakeV10 decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("HandshakeV10", payload);
        int version = reader.int1("protocol version");
        if (version != PROTOCOL_VERSION) {
            throw new ProtocolException(
                    ErrorCode.ER_HANDSHAKE_ERROR,
                    "HandshakeV10: expected protocol version 10 at offset 0, but it is " + version);
        }
        String serverVersion = reader.nulString("server version");
        int connectionId = reader.int4("thread id");
        Bytes first = reader.bytes(FIRST_PART, "scramble, part 1");
        reader.skip(1, "filler");
        long capabilities = reader.int2("capability flags, lower half");
        if (!reader.hasRemaining()) {
            return new HandshakeV10(serverVersion, connectionId, first, capabilities, 0, 0, "");
        }
        int collationId = reader.int1("character set");
        int statusFlags = reader.int2("status flags");
        capabilities |= (long) reader.int2("capability flags, upper half") << 16;
        int dataLength = reader.int1("length of the scramble");
        reader.skip(FILLER, "filler");
        long extended = reader.int4("MariaDB's extended capability flags") & 0xffff_ffffL;
        if (!Capability.CLIENT_LONG_PASSWORD.isIn(capabilities)) {
            capabilities |= extended << 32;
        }
        Bytes scramble = Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities)
                ? join(first, secondPart(reader, dataLength))
                : first;
        String plugin = Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities) ? pluginName(reader) : "";
        return new HandshakeV10(serverVersion, connectionId, scramble, capabilities, collationId, statusFlags, plugin);
    }

    /** Writes the payload, in the layout that this greeting's capabilities ask for. */
    public PayloadWriter encode() {
        boolean pluginAuth = Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities);
        boolean mariaDb = !Capability.CLIENT_LONG_PASSWORD.isIn(capabilities);
        PayloadWriter writer = new PayloadWriter()
                .int1(PROTOCOL_VERSION)
                .nulString(serverVersion)
                .int4(connectionId)
                .bytes(authPluginData.first(FIRST_PART))
                .zeros(1)
                .int2((int) (capabilities & LOWER_HALF))
                .int1(collationId)
                .int2(statusFlags)
                .int2((int) (capabilities >> 16 & LOWER_HALF))
                .int1(pluginAuth ? Math.min(authPluginData.length() + 1, MAX_SCRAMBLE) : 0)
                .zeros(FILLER)
                .int4(mariaDb ? (int) (capabilities >>> 32) : 0);
        if (Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities)) {
            byte[] scramble = authPluginData.toByteArray();
            int second = scramble.length - FIRST_PART;
            writer.bytes(Bytes.of(scramble, FIRST_PART, second)).zeros(Math.max(1, MIN_SECOND_PART - second));
        }
        return pluginAuth ? writer.nulString(authPluginName) : writer;
    }

    /** Whether the server calls itself a MariaDB. */
    public boolean isMariaDb() {
        return serverVersion.contains("MariaDB") || !Capability.CLIENT_LONG_PASSWORD.isIn(capabilities);
    }

    /** The version for people and comparisons: without the "5.5.5-" that a MariaDB may put in front of its own. */
    public String displayVersion() {
        return isMariaDb() && serverVersion.startsWith(REPLICATION_PREFIX)
                ? serverVersion.substring(REPLICATION_PREFIX.length())
                : serverVersion;
    }

    /** Whether clients take the server for a 5.5.5, and do not expect from it what that version could not do. */
    public boolean looksOld() {
        return serverVersion.startsWith(REPLICATION_PREFIX);
    }

    /** The same greeting with another connection id. */
    public HandshakeV10 withConnectionId(int newId) {
        return new HandshakeV10(
                serverVersion, newId, authPluginData, capabilities, collationId, statusFlags, authPluginName);
    }

    /** The same greeting with other capabilities. */
    public HandshakeV10 withCapabilities(long newCapabilities) {
        return new HandshakeV10(
                serverVersion, connectionId, authPluginData, newCapabilities, collationId, statusFlags, authPluginName);
    }

    private static Bytes secondPart(PayloadReader reader, int dataLength) {
        int length = Math.max(MIN_SECOND_PART, dataLength - FIRST_PART);
        Bytes part = reader.bytes(length, "scramble, part 2");
        return part.at(length - 1) == 0 ? part.first(length - 1) : part;
    }

    /** Some versions forget the NUL. */
    private static String pluginName(PayloadReader reader) {
        return reader.lengthToNul() < 0 ? reader.restString() : reader.nulString("auth plugin name");
    }

    private static Bytes join(Bytes first, Bytes second) {
        return Bytes.of(new PayloadWriter().bytes(first).bytes(second).toByteArray());
    }
}

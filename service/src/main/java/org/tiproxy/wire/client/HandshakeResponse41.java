package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Capability;

/**
 * Protocol::HandshakeResponse41: who the client is.
 *
 * @param capabilities see {@link Capability}; MariaDB's extended flags are in the upper half
 * @param maxPacketSize a hint; unsigned
 * @param collationId one byte of it
 * @param user in the character set of the collation
 * @param authResponse the reply to the scramble; a secret
 * @param schema the default schema in the character set of the collation; empty without CLIENT_CONNECT_WITH_DB
 * @param authPluginName the plugin that computed the reply; empty without CLIENT_PLUGIN_AUTH
 * @param attributes none without CLIENT_CONNECT_ATTRS
 * @param zstdLevel the compression level; 0 without CLIENT_ZSTD_COMPRESSION_ALGORITHM
 */
public record HandshakeResponse41(
        long capabilities,
        int maxPacketSize,
        int collationId,
        Bytes user,
        Bytes authResponse,
        Bytes schema,
        String authPluginName,
        ConnectionAttributes attributes,
        int zstdLevel) {

    /**
     * Reads a HandshakeResponse41. Clients leave out fields at the end although their flags announce them, and so
     * servers accept that.
     *
     * @throws org.tiproxy.wire.ProtocolException also for a HandshakeResponse320, the form from before version 4.1
     */
    public static HandshakeResponse41 decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("HandshakeResponse41", payload);
        ClientHead head = ClientHead.read(reader);
        long flags = head.capabilities();
        Bytes user = reader.nulBytes("user");
        Bytes authResponse = authResponse(reader, flags);
        Bytes schema = Bytes.EMPTY;
        if (Capability.CLIENT_CONNECT_WITH_DB.isIn(flags) && reader.hasRemaining()) {
            schema = ClientFields.nulOrRest(reader, "schema");
        }
        String plugin = "";
        if (Capability.CLIENT_PLUGIN_AUTH.isIn(flags) && reader.hasRemaining()) {
            plugin = ClientFields.nulOrRest(reader, "auth plugin name").utf8();
        }
        ConnectionAttributes attributes = ConnectionAttributes.NONE;
        if (Capability.CLIENT_CONNECT_ATTRS.isIn(flags) && reader.hasRemaining()) {
            attributes = new ConnectionAttributes(reader.lenencBytes("connection attributes"));
        }
        boolean zstd = Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM.isIn(flags) && reader.hasRemaining();
        int zstdLevel = zstd ? reader.int1("zstd level") : 0;
        return new HandshakeResponse41(
                flags,
                head.maxPacketSize(),
                head.collationId(),
                user,
                authResponse,
                schema,
                plugin,
                attributes,
                zstdLevel);
    }

    /** Writes the payload, in the layout that the capabilities ask for; what has no room there is left out. */
    public PayloadWriter encode() {
        PayloadWriter writer =
                new ClientHead(capabilities, maxPacketSize, collationId).write().nulBytes(user);
        if (Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA.isIn(capabilities)) {
            writer.lenencBytes(authResponse);
        } else if (Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities)) {
            ClientFields.shortBytes(writer, authResponse);
        } else {
            writer.nulBytes(authResponse);
        }
        if (Capability.CLIENT_CONNECT_WITH_DB.isIn(capabilities)) {
            writer.nulBytes(schema);
        }
        if (Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities)) {
            writer.nulString(authPluginName);
        }
        if (Capability.CLIENT_CONNECT_ATTRS.isIn(capabilities)) {
            writer.lenencBytes(attributes.encoded());
        }
        if (Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM.isIn(capabilities)) {
            writer.int1(zstdLevel);
        }
        return writer;
    }

    /** The same response with other capabilities: fields that these leave out are not sent. */
    public HandshakeResponse41 withCapabilities(long newCapabilities) {
        return new HandshakeResponse41(
                newCapabilities,
                maxPacketSize,
                collationId,
                user,
                authResponse,
                schema,
                authPluginName,
                attributes,
                zstdLevel);
    }

    /** The same response with another reply, of another plugin. */
    public HandshakeResponse41 withAuth(String newPluginName, Bytes newAuthResponse) {
        return new HandshakeResponse41(
                capabilities,
                maxPacketSize,
                collationId,
                user,
                newAuthResponse,
                schema,
                newPluginName,
                attributes,
                zstdLevel);
    }

    /** Without the reply and the attributes. */
    @Override
    public String toString() {
        return "HandshakeResponse41[capabilities=" + Capability.namesIn(capabilities) + ", collationId=" + collationId
                + ", user=" + user.utf8() + ", schema=" + schema.utf8() + ", authPluginName=" + authPluginName + "]";
    }

    private static Bytes authResponse(PayloadReader reader, long flags) {
        if (Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA.isIn(flags)) {
            return reader.lenencBytes("auth response");
        }
        if (Capability.CLIENT_SECURE_CONNECTION.isIn(flags)) {
            return reader.bytes(reader.int1("length of the auth response"), "auth response");
        }
        return reader.nulBytes("auth response");
    }
}

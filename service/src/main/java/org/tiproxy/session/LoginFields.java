package org.tiproxy.session;

import java.util.Arrays;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;

/**
 * The fields of a HandshakeResponse41 or COM_CHANGE_USER that matter here, and where they are. The auth response, which
 * may be a password, is not copied out of the packet.
 */
final class LoginFields {
    /** No server has a plugin of this name, so that it asks for the account's own with an AuthSwitchRequest. */
    static final String NO_PLUGIN = "tiproxy_ask_again";

    private final long capabilities;
    private final Bytes user;
    private int authStart;
    private int authEnd;
    private int authLength;
    private Bytes schema = Bytes.EMPTY;
    private String plugin = "";
    private int pluginStart;
    private int pluginEnd;

    private LoginFields(long capabilities, Bytes user) {
        this.capabilities = capabilities;
        this.user = user;
    }

    /**
     * Reads a HandshakeResponse41.
     *
     * @throws org.tiproxy.wire.ProtocolException also for a HandshakeResponse320
     */
    static LoginFields ofHandshakeResponse(byte[] payload) {
        long capabilities = SslRequest.decode(Bytes.of(payload, 0, Math.min(payload.length, SslRequest.LENGTH)))
                .capabilities();
        PayloadReader reader = new PayloadReader("HandshakeResponse41", payload);
        reader.skip(SslRequest.LENGTH, "fixed fields");
        LoginFields fields = new LoginFields(capabilities, reader.nulBytes("user"));
        boolean lenenc = Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA.isIn(capabilities);
        fields.readAuth(reader, lenenc || Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities), lenenc);
        if (Capability.CLIENT_CONNECT_WITH_DB.isIn(capabilities) && reader.hasRemaining()) {
            fields.schema = nulOrRest(reader, "schema");
        }
        fields.readPlugin(reader);
        return fields;
    }

    /** Reads a COM_CHANGE_USER in the layout for {@code capabilities}. */
    static LoginFields ofChangeUser(byte[] payload, long capabilities) {
        PayloadReader reader = new PayloadReader("COM_CHANGE_USER", payload);
        reader.expect(Command.COM_CHANGE_USER.code(), "command");
        LoginFields fields = new LoginFields(capabilities, reader.nulBytes("user"));
        fields.readAuth(reader, Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities), false);
        if (reader.hasRemaining()) {
            fields.schema = nulOrRest(reader, "schema");
        }
        if (reader.hasRemaining()) {
            reader.int2("character set");
        }
        fields.readPlugin(reader);
        return fields;
    }

    long capabilities() {
        return capabilities;
    }

    String user() {
        return user.utf8();
    }

    String schema() {
        return schema.utf8();
    }

    /** Empty if the client names none. */
    String plugin() {
        return plugin;
    }

    boolean hasAuthResponse() {
        return authLength > 0;
    }

    /** The packet without the auth response and for no plugin, so that the server starts the authentication afresh. */
    byte[] withoutAuthResponse(byte[] payload) {
        return new PayloadWriter()
                .bytes(Arrays.copyOf(payload, authStart))
                .int1(0)
                .bytes(Arrays.copyOfRange(payload, authEnd, pluginStart))
                .nulString(NO_PLUGIN)
                .bytes(Arrays.copyOfRange(payload, pluginEnd, payload.length))
                .toByteArray();
    }

    private void readAuth(PayloadReader reader, boolean hasLength, boolean lenenc) {
        authStart = reader.offset();
        if (!hasLength) {
            authLength = reader.lengthToNul();
            reader.skip(authLength + 1, "auth response");
        } else {
            long length = lenenc ? reader.lenencInt("length of the auth response") : reader.int1("its length");
            authLength = length < 0 ? -1 : (int) Math.min(length, Integer.MAX_VALUE);
            reader.skip(authLength, "auth response");
        }
        authEnd = reader.offset();
    }

    private void readPlugin(PayloadReader reader) {
        pluginStart = reader.offset();
        if (Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities) && reader.hasRemaining()) {
            plugin = nulOrRest(reader, "auth plugin name").utf8();
        }
        pluginEnd = reader.offset();
    }

    /** A NUL-terminated string; clients leave out the NUL where the packet ends. */
    private static Bytes nulOrRest(PayloadReader reader, String field) {
        return reader.lengthToNul() < 0 ? reader.rest() : reader.nulBytes(field);
    }
}

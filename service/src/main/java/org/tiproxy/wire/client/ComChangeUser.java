package org.tiproxy.wire.client;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;

/**
 * COM_CHANGE_USER: log in again on the same connection.
 *
 * @param user in the connection's character set
 * @param authResponse the reply to the greeting's scramble; a secret. MariaDB answers with an AuthSwitchRequest anyway
 * @param schema the default schema; empty for none
 * @param collationId two bytes of it; 0 for the server's default
 * @param authPluginName empty without CLIENT_PLUGIN_AUTH
 * @param attributes none without CLIENT_CONNECT_ATTRS
 */
public record ComChangeUser(
        Bytes user,
        Bytes authResponse,
        Bytes schema,
        int collationId,
        String authPluginName,
        ConnectionAttributes attributes) {
    /** Reads a COM_CHANGE_USER; {@code capabilities} are those that both sides have set. */
    public static ComChangeUser decode(Bytes payload, long capabilities) {
        PayloadReader reader = new PayloadReader("COM_CHANGE_USER", payload);
        reader.expect(Command.COM_CHANGE_USER.code(), "command");
        Bytes user = reader.nulBytes("user");
        Bytes authResponse = Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities)
                ? reader.bytes(reader.int1("length of the auth response"), "auth response")
                : reader.nulBytes("auth response");
        Bytes schema = reader.hasRemaining() ? ClientFields.nulOrRest(reader, "schema") : Bytes.EMPTY;
        int collationId = reader.hasRemaining() ? reader.int2("character set") : 0;
        String plugin = "";
        if (Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities) && reader.hasRemaining()) {
            plugin = ClientFields.nulOrRest(reader, "auth plugin name").utf8();
        }
        ConnectionAttributes attributes = ConnectionAttributes.NONE;
        if (Capability.CLIENT_CONNECT_ATTRS.isIn(capabilities) && reader.hasRemaining()) {
            attributes = new ConnectionAttributes(reader.lenencBytes("connection attributes"));
        }
        return new ComChangeUser(user, authResponse, schema, collationId, plugin, attributes);
    }

    /** Writes the payload in the layout for {@code capabilities}. */
    public PayloadWriter encode(long capabilities) {
        PayloadWriter writer =
                new PayloadWriter().int1(Command.COM_CHANGE_USER.code()).nulBytes(user);
        if (Capability.CLIENT_SECURE_CONNECTION.isIn(capabilities)) {
            ClientFields.shortBytes(writer, authResponse);
        } else {
            writer.nulBytes(authResponse);
        }
        writer.nulBytes(schema).int2(collationId);
        if (Capability.CLIENT_PLUGIN_AUTH.isIn(capabilities)) {
            writer.nulString(authPluginName);
        }
        if (Capability.CLIENT_CONNECT_ATTRS.isIn(capabilities)) {
            writer.lenencBytes(attributes.encoded());
        }
        return writer;
    }

    /** Without the reply and the attributes. */
    @Override
    public String toString() {
        return "ComChangeUser[user=" + user.utf8() + ", schema=" + schema.utf8() + ", collationId=" + collationId
                + ", authPluginName=" + authPluginName + "]";
    }
}

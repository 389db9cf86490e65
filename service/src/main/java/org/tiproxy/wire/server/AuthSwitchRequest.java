package org.tiproxy.wire.server;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;

/**
 * AuthSwitchRequest: the server wants another authentication plugin, or the same one with another scramble.
 *
 * @param pluginName null in the form from before 4.1, a single byte: the server wants the old, broken password hash
 * @param authPluginData the plugin's data as sent; of most plugins 20 bytes of scramble and a NUL
 */
public record AuthSwitchRequest(@Nullable String pluginName, Bytes authPluginData) {
    /** The first byte. */
    public static final int HEADER = 0xfe;

    private static final int SCRAMBLE_LENGTH = 20;

    /** Reads an AuthSwitchRequest. */
    public static AuthSwitchRequest decode(Bytes payload) {
        PayloadReader reader = new PayloadReader("AuthSwitchRequest", payload);
        reader.expect(HEADER, "header");
        if (!reader.hasRemaining()) {
            return new AuthSwitchRequest(null, Bytes.EMPTY);
        }
        return new AuthSwitchRequest(reader.nulString("plugin name"), reader.rest());
    }

    /** The scramble: the data without the NUL that follows 20 bytes of it. */
    public Bytes scramble() {
        boolean terminated = authPluginData.length() == SCRAMBLE_LENGTH + 1 && authPluginData.at(SCRAMBLE_LENGTH) == 0;
        return terminated ? authPluginData.first(SCRAMBLE_LENGTH) : authPluginData;
    }

    /** Writes the payload. */
    public PayloadWriter encode() {
        PayloadWriter writer = new PayloadWriter().int1(HEADER);
        return pluginName == null ? writer : writer.nulString(pluginName).bytes(authPluginData);
    }
}

package org.tiproxy.wire.auth;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * The client's side of an authentication plugin: what is sent first. Plugins that go on from there, and the server's
 * side, have methods of their own. All are without state and safe for use by several threads.
 *
 * <p>Passwords are bytes in the connection's character set, without a NUL. An empty password is a reply of no bytes for
 * every plugin that answers a scramble.
 */
public interface AuthPlugin {
    /** The plugin's name in the packets. */
    AuthPluginName name();

    /** Whether the reply gives away the password, or what is as good: then it may only be sent over TLS. */
    boolean requiresTls();

    /**
     * The first reply.
     *
     * @param password what the user knows: a password or a token
     * @param scramble what the server has sent, without the NUL behind it
     */
    Bytes reply(Bytes password, Bytes scramble);

    /** The plugin of a name. */
    static AuthPlugin of(AuthPluginName name) {
        return switch (name) {
            case MYSQL_NATIVE_PASSWORD -> new MysqlNativePassword();
            case CACHING_SHA2_PASSWORD -> new CachingSha2Password();
            case MYSQL_CLEAR_PASSWORD -> new MysqlClearPassword();
            case CLIENT_ED25519 -> new ClientEd25519();
            case TIDB_SESSION_TOKEN -> new TidbSessionToken();
        };
    }
}

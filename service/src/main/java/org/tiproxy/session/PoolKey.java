package org.tiproxy.session;

import static org.tiproxy.wire.protocol.Capability.CLIENT_CONNECT_ATTRS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_CONNECT_WITH_DB;
import static org.tiproxy.wire.protocol.Capability.CLIENT_IGNORE_SIGPIPE;
import static org.tiproxy.wire.protocol.Capability.CLIENT_ODBC;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PLUGIN_AUTH;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
import static org.tiproxy.wire.protocol.Capability.CLIENT_PROTOCOL_41;
import static org.tiproxy.wire.protocol.Capability.CLIENT_REMEMBER_OPTIONS;
import static org.tiproxy.wire.protocol.Capability.CLIENT_RESERVED;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SECURE_CONNECTION;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SSL;
import static org.tiproxy.wire.protocol.Capability.CLIENT_SSL_VERIFY_SERVER_CERT;

import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * Which backend connections can serve a session, apart from the backend's address and its TLS, which the adapter adds.
 *
 * <p>A connection's capabilities are settled when it is opened, and nothing changes them later: so all that have an
 * effect belong here. What can be changed later does not: the default schema, and what the cleaning resets.
 *
 * @param user who is logged in; empty in pass-through, where a change of user comes with each login
 * @param capabilities those of the client that have an effect at the backend, see {@link Capability}
 * @param collationId the collation of the login, to which COM_RESET_CONNECTION goes back; 0 in pass-through
 */
public record PoolKey(String user, long capabilities, int collationId) {
    /** Flags without an effect at the server, of TLS, and of the layout of the login packet alone. */
    private static final long WITHOUT_EFFECT = Capability.setOf(
            CLIENT_CONNECT_WITH_DB,
            CLIENT_ODBC,
            CLIENT_SSL,
            CLIENT_IGNORE_SIGPIPE,
            CLIENT_RESERVED,
            CLIENT_SSL_VERIFY_SERVER_CERT,
            CLIENT_REMEMBER_OPTIONS);

    /** How the proxy itself logs in, whatever the client does. */
    private static final long OWN = Capability.setOf(
            CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH, CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA);

    /**
     * The key of connections on which the proxy logs in. Connection attributes are the proxy's own there: those of a
     * client name its process, and would make every key another one.
     */
    static PoolKey ofUser(String user, long capabilities, int collationId) {
        return new PoolKey(user, effective(capabilities) & ~CLIENT_CONNECT_ATTRS.mask(), collationId);
    }

    /** The key of connections on which clients log in, whoever they are. */
    static PoolKey ofPassThrough(long capabilities) {
        return new PoolKey("", effective(capabilities), 0);
    }

    /** Whether the two sets of negotiated flags mean the same to both sides. */
    public static boolean sameEffect(long left, long right) {
        long ignored = WITHOUT_EFFECT | OWN | CLIENT_CONNECT_ATTRS.mask() | Capability.CLIENT_LONG_PASSWORD.mask();
        return ((left ^ right) & ~ignored) == 0;
    }

    /**
     * The flags of a login on a connection that has greeted so.
     *
     * @param own what the proxy adds of its own accord
     */
    long negotiatedWith(HandshakeV10 greeting, boolean tls, boolean withSchema, long own) {
        long wanted = capabilities | own | (tls ? CLIENT_SSL.mask() : 0);
        // Whether to set bit 0 is up to the client: without it, it is MariaDB's.
        long common = wanted & (greeting.capabilities() | Capability.CLIENT_LONG_PASSWORD.mask());
        return withSchema ? common | CLIENT_CONNECT_WITH_DB.mask() : common;
    }

    private static long effective(long capabilities) {
        return (capabilities & ~WITHOUT_EFFECT) | OWN;
    }

    @Override
    public String toString() {
        return "PoolKey[user=" + user + ", capabilities=0x" + Long.toHexString(capabilities) + ", collationId="
                + collationId + "]";
    }
}

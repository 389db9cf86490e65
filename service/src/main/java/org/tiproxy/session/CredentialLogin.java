package org.tiproxy.session;

import java.security.PublicKey;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.auth.AuthPlugin;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * The client's side of an authentication with credentials of our own, behind HandshakeResponse41 or COM_CHANGE_USER: any
 * number of AuthSwitchRequests, and the further messages of caching_sha2_password and sha256_password.
 */
final class CredentialLogin {
    /** What a packet of the backend has led to. */
    enum Progress {
        GOES_ON,
        LOGGED_IN,
        REFUSED
    }

    /** An endless exchange is cut off; no server needs more. */
    private static final int MAX_PACKETS = 16;

    private final PacketLeg leg;
    private final BackendCredentials credentials;
    private final boolean tls;
    private final boolean proven;
    private AuthPluginName plugin;
    private Bytes scramble;
    private @Nullable String unsupported;
    private boolean sha256;
    private boolean keyDue;
    private int packets;

    /** Starts with the plugin that the greeting names if that is one to start with. */
    CredentialLogin(PacketLeg leg, BackendCredentials credentials, boolean tls, HandshakeV10 greeting) {
        this(leg, credentials, tls, true, greeting);
    }

    /**
     * The same, over TLS whose certificate may be still to be proven.
     *
     * @param proven whether the server is known to be the right one; until then only mysql_native_password is answered
     */
    CredentialLogin(PacketLeg leg, BackendCredentials credentials, boolean tls, boolean proven, HandshakeV10 greeting) {
        this.leg = leg;
        this.credentials = credentials;
        this.tls = tls;
        this.proven = proven;
        this.plugin = proven
                        && greeting.authPluginName().equals(AuthPluginName.CACHING_SHA2_PASSWORD.text())
                        && credentials.password() != null
                ? AuthPluginName.CACHING_SHA2_PASSWORD
                : AuthPluginName.MYSQL_NATIVE_PASSWORD;
        this.scramble = greeting.authPluginData();
    }

    /** The plugin of the first reply. */
    AuthPluginName plugin() {
        return plugin;
    }

    /** The plugin that the backend wants and the proxy cannot do, at all or without TLS; null if there is none. */
    @Nullable
    String unsupported() {
        return unsupported;
    }

    /** The reply that the packet with the user's name carries. */
    Bytes firstReply() {
        return reply();
    }

    Progress onPacket(byte[] packet) {
        if (++packets > MAX_PACKETS) {
            throw impossible("the backend has sent more than " + MAX_PACKETS + " packets to log in " + who());
        }
        int header = packet.length == 0 ? -1 : packet[0] & 0xff;
        return switch (header) {
            case OkPacket.HEADER -> Progress.LOGGED_IN;
            case ErrPacket.HEADER -> Progress.REFUSED;
            case AuthSwitchRequest.HEADER -> {
                onSwitch(AuthSwitchRequest.decode(Bytes.of(packet)));
                yield Progress.GOES_ON;
            }
            case AuthMoreData.HEADER -> {
                onMoreData(AuthMoreData.decode(Bytes.of(packet)).data());
                yield Progress.GOES_ON;
            }
            default ->
                throw new ProtocolException("login of " + who()
                        + ": expected OK, ERR, AuthSwitchRequest or AuthMoreData, but found a packet of "
                        + packet.length + " bytes with first byte " + header);
        };
    }

    private void onSwitch(AuthSwitchRequest request) {
        String name = request.pluginName();
        if (!proven && !AuthPluginName.MYSQL_NATIVE_PASSWORD.text().equals(name)) {
            String asked = name == null ? "mysql_old_password" : name;
            unsupported = asked;
            throw impossible("the backend wants the authentication plugin " + asked + " for " + who()
                    + ", but nobody whom the URL trusts has signed its certificate, which only "
                    + AuthPluginName.MYSQL_NATIVE_PASSWORD.text() + " can prove");
        }
        sha256 = AuthPolicy.SHA256_PASSWORD.equals(name) && credentials.mayUseSha256Password();
        keyDue = false;
        if (sha256) {
            scramble = request.scramble();
            sendSha256Password();
            return;
        }
        AuthPluginName wanted = name == null ? null : AuthPluginName.of(name);
        if (wanted == null) {
            // The old form of the request, of one byte, has one meaning.
            unsupported = name == null ? "mysql_old_password" : name;
            throw impossible("the backend wants the authentication plugin " + name + " for " + who()
                    + ", with which the proxy cannot log in: give the account another plugin");
        }
        plugin = wanted;
        scramble = request.scramble();
        leg.send(reply().toByteArray());
    }

    /** Nothing is derived from the password: it is sent itself, or encrypted with the server's key. */
    private void sendSha256Password() {
        if (credentials.password() == null) {
            throw onlyHashKnown(AuthPolicy.SHA256_PASSWORD);
        }
        if (password().isEmpty()) {
            leg.send(new byte[] {0});
        } else {
            sendPassword(AuthPolicy.SHA256_PASSWORD, AuthPolicy.SHA256_KEY_REQUEST);
        }
    }

    private void sendPassword(String pluginName, int keyRequest) {
        if (tls) {
            leg.send(CachingSha2Password.cleartext(password()).toByteArray());
        } else if (credentials.mayRetrieveKey()) {
            keyDue = true;
            leg.send(new byte[] {(byte) keyRequest});
        } else {
            unsupported = pluginName;
            throw impossible("the backend wants the password of " + who() + " (" + pluginName
                    + "), the connection has no TLS, and the server's public key must not be asked for"
                    + " (allowPublicKeyRetrieval): use TLS, or allow it");
        }
    }

    private void onMoreData(Bytes data) {
        boolean expected = keyDue || (!sha256 && plugin == AuthPluginName.CACHING_SHA2_PASSWORD);
        if (!expected || data.isEmpty()) {
            throw new ProtocolException("login of " + who() + ": expected no AuthMoreData of plugin "
                    + (sha256 ? AuthPolicy.SHA256_PASSWORD : plugin.text()) + ", but found " + data.length()
                    + " bytes");
        }
        if (keyDue) {
            keyDue = false;
            PublicKey key = CachingSha2Password.publicKey(data);
            leg.send(CachingSha2Password.encrypt(password(), scramble, key).toByteArray());
        } else if (data.at(0) == CachingSha2Password.FULL_AUTHENTICATION) {
            sendPassword(plugin.text(), CachingSha2Password.PUBLIC_KEY_REQUEST);
        }
    }

    private Bytes reply() {
        if (AuthPlugin.of(plugin).requiresTls() && !tls) {
            unsupported = plugin.text();
            throw impossible("the backend wants the authentication plugin " + plugin.text() + " for " + who()
                    + ", which sends the password unencrypted, and the connection has no TLS");
        }
        Bytes reply = credentials.reply(plugin, scramble);
        if (reply == null) {
            throw onlyHashKnown(plugin.text());
        }
        return reply;
    }

    private SessionFailure onlyHashKnown(String pluginName) {
        return impossible("the backend wants the authentication plugin " + pluginName + " for " + who()
                + ", but the proxy knows only a hash of the password, which is good for "
                + AuthPluginName.MYSQL_NATIVE_PASSWORD.text() + " alone");
    }

    private Bytes password() {
        Bytes password = credentials.password();
        if (password == null) {
            throw new IllegalStateException("no password");
        }
        return password;
    }

    private String who() {
        return "user '" + credentials.user() + "'";
    }

    private static SessionFailure impossible(String text) {
        return SessionFailure.told(
                ErrorSource.PROXY, EndReason.AUTHENTICATION_IMPOSSIBLE, ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE, text);
    }

    /** The ERR that stands for a failure of any kind. */
    static ErrPacket errOf(RuntimeException failure) {
        ErrorCode told = failure instanceof SessionFailure known ? known.told() : null;
        ErrorCode code = told == null ? ErrorCode.ER_NET_READ_ERROR : told;
        return ErrPacket.of(code, String.valueOf(failure.getMessage()));
    }
}

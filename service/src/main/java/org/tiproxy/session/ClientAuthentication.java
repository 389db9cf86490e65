package org.tiproxy.session;

import java.security.KeyPair;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.auth.AuthPlugin;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.auth.MysqlClearPassword;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;

/**
 * The server's side of an authentication: the proxy checks a client's password with a scramble of its own.
 *
 * <pre>
 * step               packet of the client                         next
 * (start)            reply of the plugin that the user has        OVER, or FULL_DUE
 * (start)            reply of another plugin                      REPLY_DUE; we send an AuthSwitchRequest
 * REPLY_DUE          reply                                        OVER, or FULL_DUE
 * FULL_DUE           password (with TLS)                          OVER
 * FULL_DUE           key request (without TLS)                    ENCRYPTED_DUE; we send our key
 * FULL_DUE           encrypted password (without TLS)             OVER
 * ENCRYPTED_DUE      encrypted password                           OVER
 * </pre>
 *
 * <p>FULL_DUE is caching_sha2_password with nothing but a hash to check against. OK and ERR are the caller's to send.
 */
final class ClientAuthentication {
    /** What a packet of the client has led to. */
    enum Progress {
        GOES_ON,
        VERIFIED,
        REFUSED
    }

    private enum Step {
        REPLY_DUE,
        FULL_DUE,
        ENCRYPTED_DUE,
        OVER
    }

    private static final int ED25519_SCRAMBLE = 32;

    private final PacketLeg client;
    private final KnownUser user;
    private final boolean tls;
    private final boolean understandsMoreData;
    private final Supplier<KeyPair> rsaKeys;
    private final Scrambles scrambles;
    private AuthPluginName plugin = AuthPluginName.MYSQL_NATIVE_PASSWORD;
    private Bytes scramble = Bytes.EMPTY;
    private Step step = Step.REPLY_DUE;
    private boolean usingPassword;
    private @Nullable BackendCredentials credentials;

    /** @param understandsMoreData see {@link ClientHandshake#understandsMoreData} */
    ClientAuthentication(
            PacketLeg client,
            KnownUser user,
            boolean tls,
            boolean understandsMoreData,
            Supplier<KeyPair> rsaKeys,
            Scrambles scrambles) {
        this.client = client;
        this.user = user;
        this.tls = tls;
        this.understandsMoreData = understandsMoreData;
        this.rsaKeys = rsaKeys;
        this.scrambles = scrambles;
    }

    /**
     * Starts behind a HandshakeResponse41.
     *
     * @param begunWith the plugin that the client names; empty if it knows of none
     * @param sent the scramble that the client has used
     */
    Progress start(String begunWith, Bytes reply, Bytes sent) {
        plugin = checked(user.pluginFor(begunWith, tls, understandsMoreData));
        boolean old = begunWith.isEmpty();
        if (old && plugin != AuthPluginName.MYSQL_NATIVE_PASSWORD) {
            throw impossible("this user's plugin is " + plugin.text() + ", and the client knows of no plugins");
        }
        if (!old && !begunWith.equals(plugin.text())) {
            return askFor(plugin);
        }
        scramble = sent;
        return onReply(reply);
    }

    /** Starts behind a COM_CHANGE_USER, where servers always send another scramble. */
    Progress startAfresh(String begunWith) {
        return askFor(checked(user.pluginFor(begunWith, tls, understandsMoreData)));
    }

    Progress onPacket(byte[] packet) {
        return switch (step) {
            case REPLY_DUE -> onReply(Bytes.of(packet));
            case FULL_DUE -> tls ? onCleartext(packet) : onKeyRequest(packet);
            case ENCRYPTED_DUE -> onEncrypted(packet);
            case OVER -> throw new IllegalStateException("the authentication is over");
        };
    }

    /** For backends, once VERIFIED; null if what is known of the user is not enough for any. */
    @Nullable
    BackendCredentials credentials() {
        return credentials;
    }

    /** What servers say in their ERR. */
    String usingPassword() {
        return usingPassword ? "YES" : "NO";
    }

    /** Which of the client's replies would go over the wire as it is. */
    private AuthPluginName checked(AuthPluginName wanted) {
        if (!tls && AuthPlugin.of(wanted).requiresTls()) {
            throw impossible(wanted.text() + " sends the password unencrypted: let the client use TLS");
        }
        return wanted;
    }

    private Progress askFor(AuthPluginName wanted) {
        plugin = wanted;
        step = Step.REPLY_DUE;
        if (wanted == AuthPluginName.CLIENT_ED25519) {
            scramble = scrambles.next(ED25519_SCRAMBLE);
            client.send(new AuthSwitchRequest(wanted.text(), scramble).encode().toByteArray());
        } else {
            scramble = scrambles.next(Scrambles.LENGTH);
            byte[] terminated = Arrays.copyOf(scramble.toByteArray(), Scrambles.LENGTH + 1);
            client.send(new AuthSwitchRequest(wanted.text(), Bytes.of(terminated))
                    .encode()
                    .toByteArray());
        }
        return Progress.GOES_ON;
    }

    private Progress onReply(Bytes sent) {
        Bytes reply = plugin == AuthPluginName.CACHING_SHA2_PASSWORD ? CachingSha2Password.replyIn(sent) : sent;
        boolean empty = plugin == AuthPluginName.MYSQL_CLEAR_PASSWORD
                ? MysqlClearPassword.password(reply).isEmpty()
                : reply.isEmpty();
        usingPassword = !empty;
        if (plugin == AuthPluginName.CACHING_SHA2_PASSWORD && user.needsFullAuthentication(reply, scramble)) {
            step = Step.FULL_DUE;
            sendState(CachingSha2Password.FULL_AUTHENTICATION);
            return Progress.GOES_ON;
        }
        KnownUser.Verified verified = user.verify(plugin, reply, scramble);
        if (verified != null && plugin == AuthPluginName.CACHING_SHA2_PASSWORD && usingPassword) {
            sendState(CachingSha2Password.FAST_AUTH_SUCCESS);
        }
        return over(verified);
    }

    private Progress onCleartext(byte[] packet) {
        return over(user.verifyPassword(MysqlClearPassword.password(Bytes.of(packet))));
    }

    private Progress onKeyRequest(byte[] packet) {
        if (packet.length == 1 && packet[0] == CachingSha2Password.PUBLIC_KEY_REQUEST) {
            step = Step.ENCRYPTED_DUE;
            Bytes key = CachingSha2Password.pem(rsaKeys.get().getPublic());
            client.send(new AuthMoreData(key).encode().toByteArray());
            return Progress.GOES_ON;
        }
        return onEncrypted(packet);
    }

    private Progress onEncrypted(byte[] packet) {
        Bytes password;
        try {
            password = CachingSha2Password.decrypt(
                    Bytes.of(packet), scramble, rsaKeys.get().getPrivate());
        } catch (ProtocolException e) {
            throw impossible("the password of " + packet.length + " bytes was not encrypted with the proxy's RSA key: "
                    + "let the client ask for the key, or use TLS");
        }
        return over(user.verifyPassword(password));
    }

    private Progress over(KnownUser.@Nullable Verified verified) {
        step = Step.OVER;
        if (verified == null) {
            return Progress.REFUSED;
        }
        credentials = verified.credentials();
        return Progress.VERIFIED;
    }

    private void sendState(int state) {
        client.send(new AuthMoreData(Bytes.of((byte) state)).encode().toByteArray());
    }

    private static SessionFailure impossible(String text) {
        return SessionFailure.told(
                ErrorSource.CLIENT, EndReason.AUTHENTICATION_IMPOSSIBLE, ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE, text);
    }
}

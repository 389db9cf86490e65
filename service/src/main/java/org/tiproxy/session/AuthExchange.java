package org.tiproxy.session;

import java.security.KeyPair;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.OkPacket;

/**
 * The authentication between HandshakeResponse41 (or COM_CHANGE_USER) and OK or ERR: packets pass from leg to leg, with
 * the sequence ids of each leg. Client and backend take turns, so a client's packet is only read when one is due.
 *
 * <p>Two plugins send the password itself over TLS, and encrypted with the server's RSA key otherwise. If only one leg
 * has TLS the proxy translates: with the backend's key if the backend's leg is the plain one, with a key of its own if
 * it is the client's.
 *
 * <pre>
 * step                     packet                                       next
 * RELAY                    full authentication, AuthSwitch to sha256    PASSWORD_DUE (client has TLS) or KEY_REQUEST_DUE
 * PASSWORD_DUE             password from the client                     BACKEND_KEY_DUE; we ask the backend for its key
 * BACKEND_KEY_DUE          key from the backend                         RELAY; we send the encrypted password
 * KEY_REQUEST_DUE          key request from the client                  ENCRYPTED_PASSWORD_DUE; we send our key
 * KEY_REQUEST_DUE          encrypted password from the client           RELAY; we send the password over TLS
 * ENCRYPTED_PASSWORD_DUE   encrypted password from the client           RELAY; we send the password over TLS
 * PASSWORD_DUE             key request of a client that wants RSA       RELAY
 * any                      AuthSwitch, ERR                              RELAY
 * </pre>
 */
final class AuthExchange {
    /** What a packet of the backend has led to. */
    enum Progress {
        GOES_ON,
        LOGGED_IN,
        REFUSED
    }

    private enum Step {
        RELAY,
        PASSWORD_DUE,
        BACKEND_KEY_DUE,
        KEY_REQUEST_DUE,
        ENCRYPTED_PASSWORD_DUE
    }

    private static final int AUTH_MORE_DATA = AuthMoreData.HEADER;

    private static final String CACHING_SHA2_PASSWORD = AuthPluginName.CACHING_SHA2_PASSWORD.text();

    private final PacketLeg client;
    private final PacketLeg backend;
    private final AuthPolicy policy;
    private final Supplier<KeyPair> rsaKeys;
    private final int maxPackets;
    private String plugin;
    private Bytes scramble;
    private Step step = Step.RELAY;
    private int packets;
    private boolean clientsTurn;
    private byte @Nullable [] password;

    /**
     * Starts behind the packet that names the user.
     *
     * @param plugin the one the client has named in it
     * @param scramble the one the client has seen last
     */
    AuthExchange(
            PacketLeg client,
            PacketLeg backend,
            AuthPolicy policy,
            SessionConfig config,
            String plugin,
            Bytes scramble) {
        this.client = client;
        this.backend = backend;
        this.policy = policy;
        this.rsaKeys = config.rsaKeys();
        this.maxPackets = config.maxLoginPackets();
        this.plugin = plugin;
        this.scramble = scramble;
    }

    /** Whether the backend waits for a packet of the client. */
    boolean isClientsTurn() {
        return clientsTurn;
    }

    /** The last scramble that the backend has sent. */
    Bytes scramble() {
        return scramble;
    }

    Progress onBackend(byte[] packet) {
        int header = packet.length == 0 ? -1 : packet[0] & 0xff;
        boolean answersKeyRequest = header != ErrPacket.HEADER && header != AuthSwitchRequest.HEADER;
        if (step == Step.BACKEND_KEY_DUE && answersKeyRequest) {
            onBackendKey(packet);
            return Progress.GOES_ON;
        }
        clientsTurn = header != OkPacket.HEADER && header != ErrPacket.HEADER;
        if (header == AuthSwitchRequest.HEADER) {
            onSwitch(AuthSwitchRequest.decode(Bytes.of(packet)));
        } else if (header == AUTH_MORE_DATA && packet.length == 2 && plugin.equals(CACHING_SHA2_PASSWORD)) {
            onCachingSha2(packet[1]);
        }
        client.send(packet);
        if (header == OkPacket.HEADER) {
            return Progress.LOGGED_IN;
        }
        if (header == ErrPacket.HEADER) {
            wipePassword();
            return Progress.REFUSED;
        }
        return Progress.GOES_ON;
    }

    void onClient(byte[] packet) {
        if (++packets > maxPackets) {
            throw SessionFailure.told(
                    EndReason.TOO_MANY_LOGIN_PACKETS,
                    ErrorCode.ER_HANDSHAKE_ERROR,
                    "the client has sent " + packets + " packets to log in, more than the limit of " + maxPackets);
        }
        clientsTurn = false;
        switch (step) {
            case RELAY, BACKEND_KEY_DUE -> backend.send(packet);
            case PASSWORD_DUE -> onPassword(packet);
            case KEY_REQUEST_DUE -> onKeyRequest(packet);
            case ENCRYPTED_PASSWORD_DUE -> onEncryptedPassword(packet);
        }
    }

    /** Forgets a password that is waiting for the backend's key. */
    void wipePassword() {
        if (password != null) {
            Arrays.fill(password, (byte) 0);
            password = null;
        }
    }

    private void onSwitch(AuthSwitchRequest request) {
        wipePassword();
        step = Step.RELAY;
        plugin = request.pluginName() == null ? "" : request.pluginName();
        scramble = request.scramble();
        policy.check(plugin);
        if (policy.mustStartAfresh(plugin)) {
            translate();
        }
    }

    private void onCachingSha2(int state) {
        if (state == CachingSha2Password.FAST_AUTH_SUCCESS) {
            clientsTurn = false;
        } else if (state == CachingSha2Password.FULL_AUTHENTICATION && policy.legsDiffer()) {
            translate();
        }
    }

    private void translate() {
        step = policy.clientTls() ? Step.PASSWORD_DUE : Step.KEY_REQUEST_DUE;
    }

    private void onPassword(byte[] packet) {
        if (packet.length == 0 || isKeyRequest(packet) || isEmptyPassword(packet)) {
            step = Step.RELAY;
            backend.send(packet);
            return;
        }
        password = packet.clone();
        step = Step.BACKEND_KEY_DUE;
        backend.send(new byte[] {(byte) keyRequest()});
    }

    private void onBackendKey(byte[] packet) {
        byte[] terminated = password;
        if (packet.length == 0 || packet[0] != AUTH_MORE_DATA || terminated == null) {
            throw new ProtocolException(plugin + ": expected the backend's RSA key, but it has sent a packet of "
                    + packet.length + " bytes that is none");
        }
        step = Step.RELAY;
        try {
            PublicKey key = CachingSha2Password.publicKey(Bytes.of(packet, 1, packet.length - 1));
            backend.send(CachingSha2Password.encryptTerminated(terminated, scramble, key));
        } finally {
            wipePassword();
        }
    }

    private void onKeyRequest(byte[] packet) {
        if (isKeyRequest(packet)) {
            step = Step.ENCRYPTED_PASSWORD_DUE;
            clientsTurn = true;
            Bytes key = CachingSha2Password.pem(rsaKeys.get().getPublic());
            client.send(new AuthMoreData(key).encode().toByteArray());
        } else if (isEmptyPassword(packet)) {
            step = Step.RELAY;
            backend.send(packet);
        } else {
            onEncryptedPassword(packet);
        }
    }

    private void onEncryptedPassword(byte[] packet) {
        byte[] terminated;
        try {
            terminated = CachingSha2Password.decryptTerminated(
                    packet, scramble, rsaKeys.get().getPrivate());
        } catch (ProtocolException e) {
            throw SessionFailure.told(
                    ErrorSource.CLIENT,
                    EndReason.AUTHENTICATION_IMPOSSIBLE,
                    ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE,
                    plugin + ": the password of " + packet.length
                            + " bytes was not encrypted with the proxy's RSA key: "
                            + "let the client ask for the key, or use TLS towards the proxy");
        }
        step = Step.RELAY;
        backend.send(terminated);
        Arrays.fill(terminated, (byte) 0);
    }

    private boolean isKeyRequest(byte[] packet) {
        return packet.length == 1 && packet[0] == keyRequest();
    }

    /** sha256_password has a message of its own for "no password". */
    private boolean isEmptyPassword(byte[] packet) {
        return packet.length == 1 && packet[0] == 0;
    }

    private int keyRequest() {
        return plugin.equals(AuthPolicy.SHA256_PASSWORD)
                ? AuthPolicy.SHA256_KEY_REQUEST
                : CachingSha2Password.PUBLIC_KEY_REQUEST;
    }
}

package org.tiproxy.session;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * The connection phase up to the authentication: greeting, SSLRequests, HandshakeResponse41. Packets pass with only those
 * bytes changed that must be. Each method returns the phase that follows.
 */
final class LoginExchange {
    private final SessionConfig config;
    private final SessionOutput output;
    private final SessionListener listener;
    private final long connectionId;
    private final PacketLeg client;
    private final PacketLeg backend;
    private @Nullable HandshakeV10 greeting;
    private @Nullable LoginFields fields;
    private byte @Nullable [] heldResponse;
    private boolean clientTls;
    private boolean backendTls;
    private long advertised;
    private long passedOn;
    private @Nullable AuthExchange authentication;

    LoginExchange(SessionConfig config, SessionOutput output, SessionListener listener, long connectionId) {
        this.config = config;
        this.output = output;
        this.listener = listener;
        this.connectionId = connectionId;
        this.client = new PacketLeg(config.maxLoginPacket(), true, output::sendToClient);
        this.backend = new PacketLeg(config.maxLoginPacket(), false, output::sendToBackend);
    }

    PacketLeg client() {
        return client;
    }

    PacketLeg backend() {
        return backend;
    }

    /** Only from {@link SessionPhase#AUTHENTICATION} on. */
    AuthExchange authentication() {
        return present(authentication);
    }

    /** Only behind the greeting. */
    Login login() {
        HandshakeV10 hello = present(greeting);
        LoginFields who = present(fields);
        long negotiated = passedOn & hello.capabilities();
        return new Login(
                who.user(),
                who.schema(),
                negotiated,
                hello.serverVersion(),
                ServerFamily.of(hello),
                Integer.toUnsignedLong(hello.connectionId()),
                clientTls,
                backendTls);
    }

    AuthPolicy policy() {
        return new AuthPolicy(clientTls, backendTls);
    }

    SessionPhase onGreeting(byte[] packet) {
        if (packet.length > 0 && (packet[0] & 0xff) == ErrPacket.HEADER) {
            client.send(packet);
            throw SessionFailure.silent(
                    EndReason.BACKEND_REFUSED, "the backend refused the connection: " + describe(packet));
        }
        HandshakeV10 hello = HandshakeV10.decode(Bytes.of(packet));
        if (!Capability.CLIENT_PROTOCOL_41.isIn(hello.capabilities())) {
            throw new ProtocolException("HandshakeV10: expected CLIENT_PROTOCOL_41 in the capability flags");
        }
        listener.backendGreeted(Integer.toUnsignedLong(hello.connectionId()), hello.serverVersion());
        if (config.backendTls() == TlsMode.REQUIRED && !Capability.CLIENT_SSL.isIn(hello.capabilities())) {
            throw SessionFailure.told(
                    EndReason.BACKEND_WITHOUT_TLS,
                    ErrorCode.ER_NET_READ_ERROR,
                    "the backend does not offer TLS, which is required towards backends");
        }
        greeting = hello;
        backendTls = config.backendTls() != TlsMode.DISABLED && Capability.CLIENT_SSL.isIn(hello.capabilities());
        advertised = CapabilityMask.advertised(hello.capabilities(), config.clientTls() != TlsMode.DISABLED);
        CapabilityMask.patchGreeting(packet, connectionId, advertised);
        client.send(packet);
        return SessionPhase.HANDSHAKE;
    }

    SessionPhase onClientPacket(byte[] packet) {
        if (SslRequest.matches(Bytes.of(packet, 0, Math.min(packet.length, SslRequest.LENGTH + 1)))) {
            return onSslRequest();
        }
        LoginFields response = LoginFields.ofHandshakeResponse(packet);
        if (config.clientTls() == TlsMode.REQUIRED && !clientTls) {
            throw SessionFailure.told(
                    EndReason.TLS_REQUIRED,
                    ErrorCode.ER_SECURE_TRANSPORT_REQUIRED,
                    "Connections without TLS are not accepted by this proxy: let the client use TLS");
        }
        passedOn = CapabilityMask.passedOn(response.capabilities(), advertised, backendTls);
        policy().check(response.plugin());
        fields = response;
        byte[] patched = packet.clone();
        CapabilityMask.patchResponse(patched, passedOn);
        if (policy().mustStartAfresh(response.plugin()) && response.hasAuthResponse()) {
            byte[] fresh = response.withoutAuthResponse(patched);
            Arrays.fill(patched, (byte) 0);
            patched = fresh;
        }
        if (backendTls) {
            heldResponse = patched;
            backend.send(Arrays.copyOf(patched, SslRequest.LENGTH));
            output.startBackendTls();
            return SessionPhase.BACKEND_TLS;
        }
        return sendResponse(patched);
    }

    SessionPhase onClientTls() {
        clientTls = true;
        return SessionPhase.HANDSHAKE;
    }

    SessionPhase onBackendTls() {
        byte[] response = present(heldResponse);
        heldResponse = null;
        return sendResponse(response);
    }

    /** Overwrites what may be a password. */
    void wipe() {
        if (heldResponse != null) {
            Arrays.fill(heldResponse, (byte) 0);
            heldResponse = null;
        }
        if (authentication != null) {
            authentication.wipePassword();
        }
    }

    static String describe(byte[] err) {
        try {
            ErrPacket packet = ErrPacket.decode(Bytes.of(err));
            return "ERR " + packet.code() + " " + packet.message();
        } catch (ProtocolException e) {
            return "an ERR of " + err.length + " bytes";
        }
    }

    private SessionPhase onSslRequest() {
        if (clientTls) {
            throw SessionFailure.told(
                    EndReason.MALFORMED_LOGIN,
                    ErrorCode.ER_HANDSHAKE_ERROR,
                    "expected a HandshakeResponse41 over TLS, but found another SSLRequest");
        }
        if (config.clientTls() == TlsMode.DISABLED) {
            throw SessionFailure.told(
                    EndReason.TLS_NOT_OFFERED,
                    ErrorCode.ER_HANDSHAKE_ERROR,
                    "the client has sent an SSLRequest, but this proxy does not offer TLS");
        }
        output.startClientTls();
        return SessionPhase.CLIENT_TLS;
    }

    private SessionPhase sendResponse(byte[] response) {
        backend.send(response);
        Arrays.fill(response, (byte) 0);
        authentication = new AuthExchange(
                client,
                backend,
                policy(),
                config,
                present(fields).plugin(),
                present(greeting).authPluginData());
        return SessionPhase.AUTHENTICATION;
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("not known yet in this phase");
        }
        return value;
    }
}

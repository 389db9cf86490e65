package org.tiproxy.session;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.ErrorCode;

/** A COM_CHANGE_USER from its packet to the OK or ERR of the backend: an authentication in the middle of a session. */
final class UserChange {
    private final PacketLeg client;
    private final PacketLeg backend;
    private final AuthPolicy policy;
    private final @Nullable LoginFields fields;

    /**
     * A change that has not begun.
     *
     * @param sequenceId of the first packet to the client
     * @param payload of the COM_CHANGE_USER
     */
    UserChange(SessionConfig config, SessionOutput output, Login login, int sequenceId, byte[] payload) {
        client = new PacketLeg(config.maxLoginPacket(), true, output::sendToClient);
        client.continueAt(sequenceId);
        backend = new PacketLeg(config.maxLoginPacket(), false, output::sendToBackend);
        policy = new AuthPolicy(login.clientTls(), login.backendTls());
        fields = read(payload, login.capabilities());
    }

    PacketLeg client() {
        return client;
    }

    PacketLeg backend() {
        return backend;
    }

    /**
     * Sends the packet.
     *
     * @param scramble the one the client has seen last
     * @return the authentication; null if it cannot be: then the client has been told, and nothing was sent
     */
    @Nullable
    AuthExchange start(SessionConfig config, byte[] payload, Bytes scramble) {
        if (payload.length == 1) {
            // MariaDB would greet again, and take other capabilities out of the client's answer.
            client.send(SessionErrors.payload(
                    ErrorCode.ER_UNKNOWN_COM_ERROR, "expected a user name in COM_CHANGE_USER, but it ends there"));
            return null;
        }
        String plugin = fields == null ? "" : fields.plugin();
        String refusal = policy.refusal(plugin);
        if (refusal != null) {
            client.send(SessionErrors.payload(ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE, refusal));
            return null;
        }
        if (fields != null && policy.mustStartAfresh(plugin) && fields.hasAuthResponse()) {
            byte[] afresh = fields.withoutAuthResponse(payload);
            backend.send(afresh);
            Arrays.fill(afresh, (byte) 0);
        } else {
            backend.send(payload);
        }
        return new AuthExchange(client, backend, policy, config, plugin, scramble);
    }

    /** Who is logged in after the OK. */
    Login applyTo(Login before) {
        return fields == null ? before : before.withUser(fields.user(), fields.schema());
    }

    /** Null if it cannot be understood: then it is the backend's to refuse. */
    private static @Nullable LoginFields read(byte[] payload, long capabilities) {
        try {
            return LoginFields.ofChangeUser(payload, capabilities);
        } catch (ProtocolException e) {
            return null;
        }
    }
}

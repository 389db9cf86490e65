package org.tiproxy.session;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.client.ComChangeUser;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.server.OkPacket;

/**
 * Brings the login of a client that the proxy has greeted onto a backend connection: with COM_CHANGE_USER onto one that
 * has served others, with HandshakeResponse41 onto a new one. The client's reply belongs to the proxy's scramble and is
 * dropped; a plugin that no server has is named in its place, so that the backend asks with an AuthSwitchRequest of its
 * own, which passes to the client like all that follows. (MariaDB and MySQL would ask anyway, TiDB would not.)
 *
 * <p>For mysql_native_password MariaDB and TiDB ask with the same scramble as long as the connection lives. Whoever has
 * seen a reply on it could log in with that again, so a connection that served a client in the open must serve no other.
 */
final class LoginRelay {
    private final BackendConnectionInfo info;
    private final HandshakeResponse41 response;
    private final PacketLeg backend;
    private final AuthExchange authentication;
    private final long capabilities;
    private boolean answered;
    private byte[] loginOk = {};
    private byte @Nullable [] heldOk;

    /**
     * Sends the first packet.
     *
     * @param client behind the HandshakeResponse41
     */
    LoginRelay(
            SessionConfig config,
            SessionOutput output,
            PacketLeg client,
            boolean clientTls,
            HandshakeResponse41 response,
            PoolKey key,
            BackendConnectionInfo info) {
        this.info = info;
        this.response = response;
        this.backend = new PacketLeg(config.maxLoginPacket(), false, output::sendToBackend);
        this.capabilities = info.isLoggedIn()
                ? info.capabilities()
                : key.negotiatedWith(
                        info.greeting(), info.tls(), !response.schema().isEmpty(), 0);
        this.authentication = new AuthExchange(
                client,
                backend,
                new AuthPolicy(clientTls, info.tls()),
                config,
                LoginFields.NO_PLUGIN,
                info.greeting().authPluginData());
    }

    /** What client and backend have in common, with this backend. */
    long capabilities() {
        return capabilities;
    }

    void start() {
        byte[] packet;
        if (info.isLoggedIn()) {
            packet = new ComChangeUser(
                            response.user(),
                            Bytes.EMPTY,
                            response.schema(),
                            response.collationId(),
                            LoginFields.NO_PLUGIN,
                            response.attributes())
                    .encode(capabilities)
                    .toByteArray();
        } else {
            backend.continueAt(info.loginSequenceId());
            packet = response.withAuth(LoginFields.NO_PLUGIN, Bytes.EMPTY)
                    .withCapabilities(capabilities)
                    .encode()
                    .toByteArray();
        }
        backend.send(packet);
        Arrays.fill(packet, (byte) 0);
    }

    PacketLeg backend() {
        return backend;
    }

    AuthExchange authentication() {
        return authentication;
    }

    AuthExchange.Progress onBackend(byte[] packet) {
        answered = true;
        byte[] ok = heldOk;
        if (ok != null) {
            heldOk = null;
            if (packet.length == 0 || packet[0] != OkPacket.HEADER) {
                throw new ProtocolException("expected OK to " + CleaningStep.effectsOf(capabilities) + ", but found "
                        + LoginExchange.describe(packet));
            }
            loginOk = ok;
            return authentication.onBackend(ok);
        }
        boolean isOk = packet.length > 0 && packet[0] == OkPacket.HEADER;
        String effects = CleaningStep.effectsOf(capabilities);
        if (isOk && info.isLoggedIn() && effects != null) {
            heldOk = packet;
            backend.continueAt(0);
            backend.send(CleaningStep.query(effects));
            return AuthExchange.Progress.GOES_ON;
        }
        loginOk = packet;
        return authentication.onBackend(packet);
    }

    /** The status flags of the backend's OK. */
    int statusFlags() {
        return OkPacket.decode(Bytes.of(loginOk), 0).statusFlags();
    }

    /** Whether the client has noticed nothing of this backend, so that another one can take its place. */
    boolean isReplaceable() {
        return info.isLoggedIn() && !answered;
    }

    /** The connection behind the backend's OK. */
    BackendConnectionInfo loggedIn() {
        return info.loggedIn(
                response.user().utf8(),
                response.schema().utf8(),
                response.collationId(),
                capabilities,
                OkPacket.decode(Bytes.of(loginOk), capabilities));
    }
}

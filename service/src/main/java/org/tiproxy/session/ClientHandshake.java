package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * Greets a client in a backend's name, with a scramble of the proxy's own, and hears who the client is: version,
 * capabilities and character set are those that some connection of that backend has greeted with.
 */
final class ClientHandshake {
    private final SessionConfig config;
    private final SessionOutput output;
    private final PacketLeg client;
    private final HandshakeV10 greeting;
    private boolean tls;
    private @Nullable HandshakeResponse41 response;

    ClientHandshake(
            SessionConfig config,
            SessionOutput output,
            PacketLeg client,
            HandshakeV10 remembered,
            int connectionId,
            Scrambles scrambles) {
        this.config = config;
        this.output = output;
        this.client = client;
        this.greeting = new HandshakeV10(
                remembered.serverVersion(),
                connectionId,
                scrambles.next(Scrambles.LENGTH),
                CapabilityMask.advertised(remembered.capabilities(), config.clientTls() != TlsMode.DISABLED),
                remembered.collationId(),
                remembered.statusFlags(),
                pluginOf(remembered));
    }

    void greet() {
        client.send(greeting.encode().toByteArray());
    }

    /**
     * Takes an SSLRequest or HandshakeResponse41.
     *
     * @return whether it was the latter; otherwise TLS has been asked for
     */
    boolean onPacket(byte[] packet) {
        if (SslRequest.matches(Bytes.of(packet, 0, Math.min(packet.length, SslRequest.LENGTH + 1)))) {
            if (tls || config.clientTls() == TlsMode.DISABLED) {
                throw SessionFailure.told(
                        tls ? EndReason.MALFORMED_LOGIN : EndReason.TLS_NOT_OFFERED,
                        ErrorCode.ER_HANDSHAKE_ERROR,
                        tls
                                ? "expected a HandshakeResponse41 over TLS, but found another SSLRequest"
                                : "the client has sent an SSLRequest, but this proxy does not offer TLS");
            }
            output.startClientTls();
            return false;
        }
        HandshakeResponse41 decoded = HandshakeResponse41.decode(Bytes.of(packet));
        if (config.clientTls() == TlsMode.REQUIRED && !tls) {
            throw SessionFailure.told(
                    EndReason.TLS_REQUIRED,
                    ErrorCode.ER_SECURE_TRANSPORT_REQUIRED,
                    "Connections without TLS are not accepted by this proxy: let the client use TLS");
        }
        response = decoded;
        return true;
    }

    void onTls() {
        tls = true;
    }

    boolean tls() {
        return tls;
    }

    /**
     * Whether the client takes AuthMoreData for what it is. Connector/J reads its first byte as a part of the data if the
     * server's version is below 5.5.16, which a MariaDB before 11.0 seems to have.
     */
    boolean understandsMoreData() {
        return !greeting.looksOld();
    }

    Bytes scramble() {
        return greeting.authPluginData();
    }

    /** Only behind the HandshakeResponse41. */
    HandshakeResponse41 response() {
        HandshakeResponse41 known = response;
        if (known == null) {
            throw new IllegalStateException("not known yet");
        }
        return known;
    }

    /** What the client was offered. */
    long advertised() {
        return greeting.capabilities();
    }

    /** The flags that are in use with this client. */
    long capabilities() {
        return CapabilityMask.passedOn(response().capabilities(), greeting.capabilities(), false);
    }

    /** With other plugins clients might send the password itself at once, to whoever is greeting. */
    private static String pluginOf(HandshakeV10 remembered) {
        String name = remembered.authPluginName();
        return name.isEmpty() || name.equals(AuthPluginName.CACHING_SHA2_PASSWORD.text())
                ? name
                : AuthPluginName.MYSQL_NATIVE_PASSWORD.text();
    }
}

package org.tiproxy.session;

import java.security.KeyPair;
import java.util.function.Supplier;
import org.tiproxy.wire.PacketFramer;

/**
 * What all sessions of a listener have in common.
 *
 * @param clientTls towards clients
 * @param backendTls towards backends
 * @param maxLoginPacket the largest packet before a client is logged in, and in COM_CHANGE_USER, in bytes; servers allow
 *     64 KiB of connection attributes, so the default has room for them and a little more
 * @param maxLoginPackets how many packets a client may send to log in: an endless exchange is cut off
 * @param maxCommandsInFlight how many commands may wait for their response; then the client is not read any further
 * @param rsaKeys the proxy's RSA keys, for a client without TLS in front of a backend with TLS; only asked when needed,
 *     must give the same pair each time
 */
public record SessionConfig(
        TlsMode clientTls,
        TlsMode backendTls,
        int maxLoginPacket,
        int maxLoginPackets,
        int maxCommandsInFlight,
        Supplier<KeyPair> rsaKeys) {
    /** 72 KiB. */
    public static final int DEFAULT_MAX_LOGIN_PACKET = 72 * 1024;
    /** Many more than any plugin needs. */
    public static final int DEFAULT_MAX_LOGIN_PACKETS = 64;
    /** Enough to hide the round trip. */
    public static final int DEFAULT_MAX_COMMANDS_IN_FLIGHT = 256;

    /** The least that {@link #maxLoginPacket} may be: a login without connection attributes fits. */
    public static final int MIN_LOGIN_PACKET = 512;
    /** The most that {@link #maxLoginPacket} may be: a packet of one fragment. */
    public static final int MAX_LOGIN_PACKET = PacketFramer.MAX_FRAGMENT - 1;

    /** Checks the ranges. */
    public SessionConfig {
        if (maxLoginPacket < MIN_LOGIN_PACKET || maxLoginPacket > MAX_LOGIN_PACKET) {
            throw new IllegalArgumentException("maxLoginPacket " + maxLoginPacket + " is not between "
                    + MIN_LOGIN_PACKET + " and " + MAX_LOGIN_PACKET + " bytes");
        }
        if (maxLoginPackets < 2 || maxCommandsInFlight < 1) {
            throw new IllegalArgumentException("maxLoginPackets " + maxLoginPackets
                    + " must be at least 2, maxCommandsInFlight " + maxCommandsInFlight + " at least 1");
        }
    }

    /** The default limits. */
    public static SessionConfig of(TlsMode clientTls, TlsMode backendTls, Supplier<KeyPair> rsaKeys) {
        return new SessionConfig(
                clientTls,
                backendTls,
                DEFAULT_MAX_LOGIN_PACKET,
                DEFAULT_MAX_LOGIN_PACKETS,
                DEFAULT_MAX_COMMANDS_IN_FLIGHT,
                rsaKeys);
    }

    /** The same with another {@link #maxLoginPacket}. */
    public SessionConfig withMaxLoginPacket(int bytes) {
        return new SessionConfig(clientTls, backendTls, bytes, maxLoginPackets, maxCommandsInFlight, rsaKeys);
    }
}

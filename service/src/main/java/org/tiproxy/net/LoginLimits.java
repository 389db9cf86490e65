package org.tiproxy.net;

import java.time.Duration;
import java.util.List;
import org.tiproxy.common.ByteSize;
import org.tiproxy.common.GoDuration;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.session.SessionConfig;

/**
 * What somebody may use up who is not logged in.
 *
 * @param timeout for the login from the backend's greeting on, and for a PROXY header from the connection on; at most
 *     {@link #MAX_TIMEOUT}
 * @param maxHalfOpen how many connections may be open that are not logged in; 0 for no limit
 * @param maxPacket the largest packet of a login in bytes
 */
public record LoginLimits(Duration timeout, int maxHalfOpen, int maxPacket) {
    /** Nobody needs longer to log in. */
    public static final Duration MAX_TIMEOUT = Duration.ofHours(1);

    static final Key<Duration> TIMEOUT = Key.positiveDuration(
                    "proxy.login-timeout",
                    "how long a client may take to log in from the backend's greeting on (not with `tcp`),"
                            + " how long the backend may take to greet, and a client to send a PROXY header where one is"
                            + " expected, at most 1h; waiting for the backend's start does not count")
            .byDefault("10s");
    static final Key<Integer> MAX_HALF_OPEN = Key.integer(
                    "proxy.max-half-open-logins",
                    0,
                    Integer.MAX_VALUE,
                    "how many clients may be connected that are not logged in (not with `tcp`); further ones are refused;"
                            + " those that wait for the backend's start do not count; 0 = no limit")
            .byDefault("1000");
    static final Key<ByteSize> MAX_PACKET = Key.byteSize(
                    "proxy.max-login-packet",
                    "the largest packet that a client may send to log in (not with `tcp`), at least 512 bytes and less than 16 MB; servers"
                            + " accept 64 KB of connection attributes")
            .byDefault("72KB");

    /** All keys of this part. */
    static final List<Key<?>> KEYS = List.of(TIMEOUT, MAX_HALF_OPEN, MAX_PACKET);

    /** The defaults. */
    public static final LoginLimits DEFAULT =
            new LoginLimits(Duration.ofSeconds(10), 1000, SessionConfig.DEFAULT_MAX_LOGIN_PACKET);

    static LoginLimits from(Settings settings, Problems problems) {
        Duration timeout = settings.get(TIMEOUT);
        if (timeout.compareTo(MAX_TIMEOUT) > 0) {
            problems.error(
                    settings.origin(TIMEOUT), Problem.quote(GoDuration.format(timeout)) + ": expected at most 1h");
        }
        long maxPacket = settings.get(MAX_PACKET).bytes();
        if (maxPacket < SessionConfig.MIN_LOGIN_PACKET || maxPacket > SessionConfig.MAX_LOGIN_PACKET) {
            problems.error(
                    settings.origin(MAX_PACKET),
                    Problem.quote(settings.get(MAX_PACKET).toString()) + ": expected a size from "
                            + SessionConfig.MIN_LOGIN_PACKET + " to " + SessionConfig.MAX_LOGIN_PACKET + " bytes");
            maxPacket = SessionConfig.DEFAULT_MAX_LOGIN_PACKET;
        }
        return new LoginLimits(timeout, settings.get(MAX_HALF_OPEN), (int) maxPacket);
    }
}

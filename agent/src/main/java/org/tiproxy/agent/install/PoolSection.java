package org.tiproxy.agent.install;

import java.time.Duration;
import java.util.List;
import org.tiproxy.common.GoDuration;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.pool.PoolConfig;

/** The section {@code [pool]} in an application: the service's keys with other defaults and without a listener's. */
final class PoolSection {
    /** What is pooled. */
    enum Mode {
        /** MySQL connections, for the length of a driver's connection. */
        SESSION
    }

    /** Longer times would be a mistake. */
    private static final Duration LONGEST = Duration.ofDays(365);

    // Short: until the next try, connections are refused without one.
    private static final Duration MIN_BACKOFF = Duration.ofMillis(50);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(1);

    static final Key<Mode> MODE = Key.choice(
                    "pool.mode",
                    Mode.class,
                    "`session` keeps a backend connection when the application closes its own, cleans it and lends it to the"
                            + " next one")
            .byDefault("session");
    static final Key<Integer> MAX_CONNECTIONS = Key.integer(
                    "pool.max-connections-per-address",
                    1,
                    1_000_000,
                    "the most connections to one backend; more of the application's wait. The default is no bound: an"
                            + " application does not wait that would not wait without the agent")
            .byDefault("1000000")
            .reloadable();
    static final Key<Integer> MIN_IDLE = Key.integer(
                    "pool.min-idle",
                    0,
                    1_000_000,
                    "how many idle connections `idle-timeout` leaves open; none is opened before it is needed")
            .byDefault("0")
            .reloadable();
    static final Key<Duration> ACQUIRE_TIMEOUT = Key.positiveDuration(
                    "pool.acquire-timeout",
                    "how long the application waits for a connection at most, if its own connect timeout is not shorter")
            .byDefault("10s")
            .reloadable();
    static final Key<Duration> CONNECT_TIMEOUT = Key.positiveDuration(
                    "pool.connect-timeout", "how long a connection to a backend may take")
            .byDefault("10s")
            .reloadable();
    static final Key<Duration> IDLE_TIMEOUT = Key.duration(
                    "pool.idle-timeout", "how long a connection may be idle before it is closed; 0s = for ever")
            .byDefault("10m")
            .reloadable();
    static final Key<Duration> MAX_LIFETIME = Key.duration(
                    "pool.max-lifetime",
                    "how old a connection may become, less up to a tenth; one in use is closed when it comes back; 0s = for"
                            + " ever")
            .byDefault("30m")
            .reloadable();
    static final Key<Duration> KEEP_ALIVE = Key.duration(
                    "pool.keep-alive",
                    "how long a connection may be idle before it is probed with COM_PING; 0s = never")
            .byDefault("2m")
            .reloadable();
    static final Key<Duration> VALIDATION_BYPASS = Key.positiveDuration(
                    "pool.validation-bypass",
                    "a connection that has worked this recently is lent without a COM_PING before")
            .byDefault("500ms")
            .reloadable();
    static final Key<Duration> VALIDATION_TIMEOUT = Key.positiveDuration(
                    "pool.validation-timeout", "how long a probe, a login and a cleaning may each take")
            .byDefault("5s")
            .reloadable();
    static final Key<Duration> LEAK_DETECTION_THRESHOLD = Key.duration(
                    "pool.leak-detection-threshold",
                    "a connection that the application has had for longer is logged and counted; 0s = none")
            .byDefault("0s")
            .reloadable();

    static final List<Key<?>> KEYS = List.of(
            MODE,
            MAX_CONNECTIONS,
            MIN_IDLE,
            ACQUIRE_TIMEOUT,
            CONNECT_TIMEOUT,
            IDLE_TIMEOUT,
            MAX_LIFETIME,
            KEEP_ALIVE,
            VALIDATION_BYPASS,
            VALIDATION_TIMEOUT,
            LEAK_DETECTION_THRESHOLD);

    private static final List<Key<Duration>> TIMES = List.of(
            ACQUIRE_TIMEOUT,
            CONNECT_TIMEOUT,
            IDLE_TIMEOUT,
            MAX_LIFETIME,
            KEEP_ALIVE,
            VALIDATION_BYPASS,
            VALIDATION_TIMEOUT,
            LEAK_DETECTION_THRESHOLD);

    private PoolSection() {}

    /** Reads the section; where it is wrong, which is reported, the answer is the default. */
    static PoolConfig from(Settings settings, Problems problems) {
        int max = settings.get(MAX_CONNECTIONS);
        int minIdle = settings.get(MIN_IDLE);
        boolean valid = true;
        if (minIdle > max) {
            problems.error(
                    settings.origin(MIN_IDLE),
                    minIdle + ": expected at most " + MAX_CONNECTIONS.path() + ", which is " + max);
            valid = false;
        }
        for (Key<Duration> key : TIMES) {
            if (settings.get(key).compareTo(LONGEST) > 0) {
                problems.error(
                        settings.origin(key),
                        Problem.quote(GoDuration.format(settings.get(key))) + ": expected at most 8760h, a year");
                valid = false;
            }
        }
        if (!valid) {
            return PoolConfig.DEFAULT;
        }
        return PoolConfig.builder()
                .name("agent")
                .maxConnectionsPerAddress(max)
                .minIdle(minIdle)
                .acquireTimeout(settings.get(ACQUIRE_TIMEOUT))
                .connectTimeout(settings.get(CONNECT_TIMEOUT))
                .probeTimeout(settings.get(VALIDATION_TIMEOUT))
                .probeBypass(settings.get(VALIDATION_BYPASS))
                .idleTimeout(settings.get(IDLE_TIMEOUT))
                .maxLifetime(settings.get(MAX_LIFETIME))
                .keepAlive(settings.get(KEEP_ALIVE))
                .leakDetectionThreshold(settings.get(LEAK_DETECTION_THRESHOLD))
                // As without us: a backend that cannot be reached is reported at once.
                .failFast(true)
                .minBackoff(MIN_BACKOFF)
                .maxBackoff(MAX_BACKOFF)
                .build();
    }
}

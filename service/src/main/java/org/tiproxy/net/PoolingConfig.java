package org.tiproxy.net;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.GoDuration;
import org.tiproxy.config.ConfigTable;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.KnownUsers;

/**
 * Whether and how backend connections are kept and shared.
 *
 * @param mode what is pooled
 * @param pool bounds and time-outs
 * @param trustsPlainNetworks whether nobody can listen to clients without TLS, wherever they come from
 * @param users whom the proxy authenticates by itself; null if backends authenticate all clients
 * @param quietTime with {@link Mode#TCP}: how long nothing may have come before a connection is lent to the next client
 */
public record PoolingConfig(
        Mode mode,
        PoolConfig pool,
        boolean trustsPlainNetworks,
        @Nullable KnownUsers users,
        Duration quietTime) {
    /** What is pooled. */
    public enum Mode {
        /** Nothing: each session has a backend connection of its own. */
        OFF,
        /** MySQL connections, for the length of a session. */
        SESSION,
        /** Connections of any protocol, for the length of a session. */
        TCP
    }

    /** With the default quiet time. */
    public PoolingConfig(Mode mode, PoolConfig pool, boolean trustsPlainNetworks, @Nullable KnownUsers users) {
        this(mode, pool, trustsPlainNetworks, users, Duration.ofMillis(100));
    }

    /** No pool. */
    public static final PoolingConfig OFF = new PoolingConfig(Mode.OFF, PoolConfig.DEFAULT, false, null);

    /** Longer times would be a mistake. */
    private static final Duration LONGEST = Duration.ofDays(365);

    // Short: until the next try, clients are refused without one.
    private static final Duration MIN_BACKOFF = Duration.ofMillis(50);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(1);

    /** What is pooled. */
    public static final Key<Mode> MODE = Key.choice(
                    "pool.mode",
                    Mode.class,
                    "`session` keeps a backend connection when its client leaves, cleans it and lends it to the next one;"
                            + " needs `proxy.protocol = \"mysql\"`; `tcp` does so without cleaning, for protocols that"
                            + " tolerate it, and needs `proxy.protocol = \"tcp\"`; `off` opens one for each client")
            .byDefault("off");

    static final Key<Integer> MAX_CONNECTIONS = Key.integer(
                    "pool.max-connections-per-address",
                    1,
                    1_000_000,
                    "the most connections to one backend, whoever is logged in; more clients wait")
            .byDefault("100")
            .reloadable();
    static final Key<Integer> MIN_IDLE = Key.integer(
                    "pool.min-idle",
                    0,
                    1_000_000,
                    "how many idle connections to each backend are kept ready, whoever is logged in. What is missing is opened,"
                            + " with `[[users]]` for the user who came last, with `tcp` from the start; without users the"
                            + " backend needs the client for that, and it only means how many `idle-timeout` leaves open")
            .byDefault("0")
            .reloadable();
    static final Key<Duration> ACQUIRE_TIMEOUT = Key.positiveDuration(
                    "pool.acquire-timeout",
                    "how long a client waits for a connection; then error 1040, with the numbers (with `tcp` a reset);"
                            + " does not count as `proxy.login-timeout`")
            .byDefault("10s")
            .reloadable();
    static final Key<Duration> IDLE_TIMEOUT = Key.duration(
                    "pool.idle-timeout", "how long a connection may be idle before it is closed; 0s = for ever")
            .byDefault("10m")
            .reloadable();
    static final Key<Duration> MAX_LIFETIME = Key.duration(
                    "pool.max-lifetime",
                    "how old a connection may become, less up to a tenth; one in use is closed when its client leaves; 0s ="
                            + " for ever")
            .byDefault("30m")
            .reloadable();
    static final Key<Duration> KEEP_ALIVE = Key.duration(
                    "pool.keep-alive",
                    "how long a connection may be idle before it is probed with COM_PING (with `tcp`, where nobody knows a"
                            + " question, only looked at); 0s = never")
            .byDefault("2m")
            .reloadable();
    static final Key<Duration> VALIDATION_BYPASS = Key.duration(
                    "pool.validation-bypass",
                    "a connection that has worked this recently is lent without a COM_PING before; 0s = never without")
            .byDefault("500ms")
            .reloadable();
    static final Key<Duration> VALIDATION_TIMEOUT = Key.positiveDuration(
                    "pool.validation-timeout", "how long a probe, a login and a cleaning may each take")
            .byDefault("5s")
            .reloadable();
    static final Key<Duration> LEAK_DETECTION_THRESHOLD = Key.duration(
                    "pool.leak-detection-threshold",
                    "a connection that one client has had for longer is logged and counted; 0s = none")
            .byDefault("0s")
            .reloadable();
    static final Key<Boolean> TRUST_PLAIN_NETWORKS = Key.bool(
                    "pool.trust-plain-networks",
                    "whether connections are shared without [[users]] also by clients that come from another machine"
                            + " without TLS; whoever can listen to one of those can log in as that user")
            .byDefault("false");
    static final Key<Duration> TCP_QUIET_TIME = Key.positiveDuration(
                    "pool.tcp-quiet-time",
                    "with `tcp`: how long nothing may have come on a connection whose client has left before the next"
                            + " client gets it; longer than any pause that the backend makes in an answer")
            .byDefault("100ms");
    static final Key<List<ConfigTable>> USERS = Key.tables(
                    "users",
                    "whom the proxy authenticates by itself, with `name` and one of `password`, `password-file` and `hash`;"
                            + " empty = the backend authenticates all clients")
            .byDefault("");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(
            MODE,
            MAX_CONNECTIONS,
            MIN_IDLE,
            ACQUIRE_TIMEOUT,
            IDLE_TIMEOUT,
            MAX_LIFETIME,
            KEEP_ALIVE,
            VALIDATION_BYPASS,
            VALIDATION_TIMEOUT,
            LEAK_DETECTION_THRESHOLD,
            TRUST_PLAIN_NETWORKS,
            TCP_QUIET_TIME,
            USERS);

    private static final List<Key<Duration>> TIMES = List.of(
            ACQUIRE_TIMEOUT,
            IDLE_TIMEOUT,
            MAX_LIFETIME,
            KEEP_ALIVE,
            VALIDATION_BYPASS,
            VALIDATION_TIMEOUT,
            LEAK_DETECTION_THRESHOLD,
            TCP_QUIET_TIME);

    /** Reads the section. */
    public static PoolingConfig from(Settings settings, Problems problems, ProxyConfig proxy) {
        Mode mode = settings.get(MODE);
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
        @Nullable KnownUsers users = UserTables.read(settings.get(USERS), problems);
        if (mode == Mode.OFF) {
            if (users != null) {
                problems.warning(settings.origin(USERS), "not used, because " + MODE.path() + " is off");
            }
            return OFF;
        }
        if (users != null && mode == Mode.TCP) {
            problems.warning(settings.origin(USERS), "not used, because " + MODE.path() + " is tcp");
        }
        String name = Problem.quote(mode.name().toLowerCase(Locale.ROOT));
        ProxyConfig.Protocol needed = mode == Mode.TCP ? ProxyConfig.Protocol.TCP : ProxyConfig.Protocol.MYSQL;
        if (proxy.protocol() != needed) {
            problems.error(
                    settings.origin(MODE),
                    name + ": sharing connections so needs " + ProxyConfig.PROTOCOL.path() + " = "
                            + Problem.quote(needed.name().toLowerCase(Locale.ROOT)));
        }
        if (proxy.proxyProtocol().towardsBackend() != ProxyProtocolConfig.Version.OFF) {
            problems.error(
                    settings.origin(MODE),
                    name + ": not together with " + ProxyProtocolConfig.TOWARDS_BACKEND.path()
                            + ": a connection's header would name its first client to all that follow");
        }
        if (!valid) {
            return OFF;
        }
        PoolConfig pool = PoolConfig.builder()
                .name("default")
                .maxConnectionsPerAddress(max)
                .minIdle(minIdle)
                .acquireTimeout(settings.get(ACQUIRE_TIMEOUT))
                .connectTimeout(proxy.connectTimeout())
                .probeTimeout(settings.get(VALIDATION_TIMEOUT))
                .probeBypass(settings.get(VALIDATION_BYPASS))
                .idleTimeout(settings.get(IDLE_TIMEOUT))
                .maxLifetime(settings.get(MAX_LIFETIME))
                .keepAlive(settings.get(KEEP_ALIVE))
                .leakDetectionThreshold(settings.get(LEAK_DETECTION_THRESHOLD))
                // As without a pool: a backend that cannot be reached is reported at once.
                .failFast(true)
                .minBackoff(MIN_BACKOFF)
                .maxBackoff(MAX_BACKOFF)
                .build();
        return new PoolingConfig(mode, pool, settings.get(TRUST_PLAIN_NETWORKS), users, settings.get(TCP_QUIET_TIME));
    }
}

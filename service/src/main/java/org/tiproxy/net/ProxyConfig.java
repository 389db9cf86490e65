package org.tiproxy.net;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendConfig;
import org.tiproxy.common.GoDuration;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * How clients are accepted and served.
 *
 * @param address where the proxy listens
 * @param protocol what is spoken between clients and the backend
 * @param maxConnections how many clients are served at once; 0 for no limit
 * @param idleTimeout how long nothing may be sent in either direction before a connection is closed; zero for no limit
 * @param keepAlive whether TCP keep-alive finds dead clients and backends
 * @param connectTimeout how long connecting to the backend may take, at most {@link #MAX_CONNECT_TIMEOUT}
 * @param eventLoops the number of network threads; 0 for one per core
 * @param backlog how many connections the system may hold that are not yet accepted
 * @param transport which of the system's interfaces is used
 * @param gracefulWaitBeforeShutdown how long new clients are still accepted after the order to stop
 * @param gracefulCloseConnTimeout how long connections may go on after that before they are closed
 * @param proxyProtocol whether PROXY headers are sent and accepted
 * @param login what may be used up by whom is not logged in
 */
public record ProxyConfig(
        HostPort address,
        Protocol protocol,
        int maxConnections,
        Duration idleTimeout,
        boolean keepAlive,
        Duration connectTimeout,
        int eventLoops,
        int backlog,
        NetworkTransport transport,
        Duration gracefulWaitBeforeShutdown,
        Duration gracefulCloseConnTimeout,
        ProxyProtocolConfig proxyProtocol,
        LoginLimits login) {

    /** Without PROXY protocol, and with the default limits before the login. */
    public ProxyConfig(
            HostPort address,
            Protocol protocol,
            int maxConnections,
            Duration idleTimeout,
            boolean keepAlive,
            Duration connectTimeout,
            int eventLoops,
            int backlog,
            NetworkTransport transport,
            Duration gracefulWaitBeforeShutdown,
            Duration gracefulCloseConnTimeout) {
        this(
                address,
                protocol,
                maxConnections,
                idleTimeout,
                keepAlive,
                connectTimeout,
                eventLoops,
                backlog,
                transport,
                gracefulWaitBeforeShutdown,
                gracefulCloseConnTimeout,
                ProxyProtocolConfig.OFF,
                LoginLimits.DEFAULT);
    }

    /** What is spoken between clients and the backend. */
    public enum Protocol {
        /** Anything: bytes are passed on as they come. */
        TCP,
        /** MySQL, MariaDB or TiDB: packets are understood. */
        MYSQL
    }

    /** A longer wait for a TCP connection than any system allows anyway. */
    public static final Duration MAX_CONNECT_TIMEOUT = Duration.ofHours(1);

    /** Where the proxy listens. */
    public static final Key<HostPort> ADDRESS = Key.address("proxy.addr", "where clients connect")
            .byDefault("0.0.0.0:4000")
            .flag("bind");

    static final Key<Protocol> PROTOCOL = Key.choice(
                    "proxy.protocol",
                    Protocol.class,
                    "what clients and the backend speak; `tcp` is anything, `mysql` understands MySQL, MariaDB and TiDB;"
                            + " none = `mysql` if the file has `backend.instances`, else `tcp`")
            .flag("protocol");
    static final Key<Integer> MAX_CONNECTIONS = Key.integer(
                    "proxy.max-connections",
                    0,
                    Integer.MAX_VALUE,
                    "how many clients are served at once; further ones are refused; 0 = no limit")
            .byDefault("0")
            .reloadable();
    static final Key<Duration> IDLE_TIMEOUT = Key.duration(
                    "proxy.idle-timeout",
                    "a connection on which nothing was sent in either direction for so long is closed; with `mysql` only"
                            + " between two commands, with error 4031; 0s = never")
            .byDefault("0s");
    static final Key<Boolean> KEEP_ALIVE = Key.bool(
                    "proxy.keep-alive", "whether TCP keep-alive finds dead clients and backends")
            .byDefault("true");
    static final Key<Duration> CONNECT_TIMEOUT = Key.positiveDuration(
                    "proxy.connect-timeout", "how long connecting to the backend may take, at most 1h")
            .byDefault("5s");
    static final Key<Integer> EVENT_LOOPS = Key.integer(
                    "proxy.event-loops", 0, 1024, "the number of network threads; 0 = one per core")
            .byDefault("0");
    static final Key<Integer> BACKLOG = Key.integer(
                    "proxy.backlog",
                    1,
                    1 << 20,
                    "how many connections that are not yet accepted the operating system may hold")
            .byDefault("1024");
    static final Key<NetworkTransport> TRANSPORT = Key.choice(
                    "proxy.transport",
                    NetworkTransport.class,
                    "the system's network interface; `auto` is epoll where it is available, else nio")
            .byDefault("auto");
    static final Key<Duration> GRACEFUL_WAIT_BEFORE_SHUTDOWN = Key.secondsOrDuration(
                    "proxy.graceful-wait-before-shutdown",
                    "how long new clients are still accepted after the order to stop; a bare number is seconds")
            .byDefault("0s");
    static final Key<Duration> GRACEFUL_CLOSE_CONN_TIMEOUT = Key.secondsOrDuration(
                    "proxy.graceful-close-conn-timeout",
                    "how long connections may go on after that before they are closed; a bare number is seconds")
            .byDefault("15s");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = Stream.of(
                    List.of(
                            ADDRESS,
                            PROTOCOL,
                            MAX_CONNECTIONS,
                            IDLE_TIMEOUT,
                            KEEP_ALIVE,
                            CONNECT_TIMEOUT,
                            EVENT_LOOPS,
                            BACKLOG,
                            TRANSPORT,
                            GRACEFUL_WAIT_BEFORE_SHUTDOWN,
                            GRACEFUL_CLOSE_CONN_TIMEOUT),
                    ProxyProtocolConfig.KEYS,
                    LoginLimits.KEYS)
            .<Key<?>>flatMap(List::stream)
            .toList();

    /** Reads the section. */
    public static ProxyConfig from(Settings settings, Problems problems) {
        Duration connectTimeout = settings.get(CONNECT_TIMEOUT);
        if (connectTimeout.compareTo(MAX_CONNECT_TIMEOUT) > 0) {
            problems.error(
                    settings.origin(CONNECT_TIMEOUT),
                    Problem.quote(GoDuration.format(connectTimeout)) + ": expected at most 1h");
        }
        return new ProxyConfig(
                settings.get(ADDRESS),
                protocol(settings),
                settings.get(MAX_CONNECTIONS),
                settings.get(IDLE_TIMEOUT),
                settings.get(KEEP_ALIVE),
                connectTimeout,
                settings.get(EVENT_LOOPS),
                settings.get(BACKLOG),
                settings.get(TRANSPORT),
                settings.get(GRACEFUL_WAIT_BEFORE_SHUTDOWN),
                settings.get(GRACEFUL_CLOSE_CONN_TIMEOUT),
                ProxyProtocolConfig.from(settings),
                LoginLimits.from(settings, problems));
    }

    /** A file with backends is written as for a proxy that speaks MySQL; the flags alone are those of a TCP proxy. */
    private static Protocol protocol(Settings settings) {
        @Nullable Protocol given = settings.find(PROTOCOL);
        if (given != null) {
            return given;
        }
        return settings.isInFile(BackendConfig.INSTANCES) ? Protocol.MYSQL : Protocol.TCP;
    }
}

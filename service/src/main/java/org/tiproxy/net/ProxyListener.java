package org.tiproxy.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.LogThrottle;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.Listener;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.pool.StaticAddresses;
import org.tiproxy.pool.WeightedAddress;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;

/**
 * The listening socket: accepts clients on Netty's event loops and gives each its session.
 *
 * <p>One event loop accepts, all of them relay; both sockets of a session share one loop.
 */
public final class ProxyListener implements Listener {
    private static final Logger log = LoggerFactory.getLogger(ProxyListener.class);

    /** How long accepting pauses after an accept failed, for example because file descriptors ran out. */
    private static final long ACCEPT_PAUSE_MILLIS = 1000;

    static {
        // Netty looks for leaks by taking a stack trace of one buffer in 128, which costs about as much as scanning
        // MySQL. Whoever looks for a leak sets the level.
        if (System.getProperty("io.netty.leakDetection.level") == null) {
            ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        }
    }

    private final ProxyConfig config;
    private final List<HostPort> backends;
    private final BackendGate gate;
    private final SessionRegistry sessions;
    private final Ticker ticker;
    private final NetworkTransport transport;
    private final SocketOptions options;
    private final MultiThreadIoEventLoopGroup loops;
    private final BackendConnector connector;
    private final ProxyTls tls;
    private final MySqlProtocol mysql;
    private final @Nullable BackendPool pool;
    private final @Nullable TcpBackendPool tcpPool;
    /** Where a pool's connections may go at the moment. */
    private final StaticAddresses addresses;

    private volatile boolean backendRuns = true;

    private final HalfOpenLogins logins;
    private final LingeringClose lingeringClose = new LingeringClose();
    private final LongAdder badProxyHeadersTotal = new LongAdder();
    private final LogThrottle headerThrottle;
    private final LogThrottle tlsThrottle;
    private final LogThrottle unreachableThrottle;
    private final LogThrottle acceptThrottle;

    private @Nullable Channel server;
    private volatile boolean accepting;
    private volatile HostPort address;

    /** A proxy without TLS that does not listen yet; see the other constructor. */
    public ProxyListener(
            ProxyConfig config,
            HostPort backend,
            BackendGate gate,
            SessionRegistry sessions,
            Ticker ticker,
            Executor resolver)
            throws ProxyException {
        this(config, backend, gate, sessions, ticker, resolver, ProxyTls.none());
    }

    /** A proxy without a pool that does not listen yet; see the other constructor. */
    public ProxyListener(
            ProxyConfig config,
            HostPort backend,
            BackendGate gate,
            SessionRegistry sessions,
            Ticker ticker,
            Executor resolver,
            ProxyTls tls)
            throws ProxyException {
        this(config, PoolingConfig.OFF, List.of(backend), gate, sessions, ticker, resolver, tls);
    }

    /** A proxy for one backend that does not listen yet; see the other constructor. */
    public ProxyListener(
            ProxyConfig config,
            PoolingConfig pooling,
            HostPort backend,
            BackendGate gate,
            SessionRegistry sessions,
            Ticker ticker,
            Executor resolver,
            ProxyTls tls)
            throws ProxyException {
        this(config, pooling, List.of(backend), gate, sessions, ticker, resolver, tls);
    }

    /**
     * A proxy that does not listen yet.
     *
     * @param pooling whether backend connections are shared
     * @param backends where connections lead to; one, or without a pool the first of them
     * @param resolver runs look-ups of the backend's name, which block
     * @param tls how TLS is used on both sides; the caller closes it
     * @throws ProxyException if the configured transport does not work on this machine
     */
    public ProxyListener(
            ProxyConfig config,
            PoolingConfig pooling,
            List<HostPort> backends,
            BackendGate gate,
            SessionRegistry sessions,
            Ticker ticker,
            Executor resolver,
            ProxyTls tls)
            throws ProxyException {
        this.config = config;
        this.backends = List.copyOf(backends);
        this.gate = gate;
        this.sessions = sessions;
        this.ticker = ticker;
        this.address = config.address();
        this.transport = config.transport().resolved();
        this.options = new SocketOptions(config.keepAlive(), config.protocol() == ProxyConfig.Protocol.TCP, transport);
        // Without a number, Netty would take two per core.
        int cores = Runtime.getRuntime().availableProcessors();
        this.loops = new MultiThreadIoEventLoopGroup(
                config.eventLoops() == 0 ? cores : config.eventLoops(),
                new DefaultThreadFactory("tiproxy-loop", true),
                transport.ioHandlerFactory());
        this.connector = new BackendConnector(
                transport.socketChannelFactory(),
                options,
                Math.toIntExact(config.connectTimeout().toMillis()),
                resolver);
        this.tls = tls;
        this.mysql = new MySqlProtocol(
                SessionConfig.of(tls.clientMode(), tls.backendMode(), tls::rsaKeys)
                        .withMaxLoginPacket(config.login().maxPacket()),
                sessions,
                config.login().timeout(),
                tls);
        this.addresses = StaticAddresses.of(backends.toArray(HostPort[]::new));
        this.pool = pooling.mode() == PoolingConfig.Mode.SESSION
                ? new BackendPool(pooling, mysql, addresses, connector, loops, ticker)
                : null;
        this.tcpPool = pooling.mode() == PoolingConfig.Mode.TCP
                ? new TcpBackendPool(pooling, addresses, connector, transport, loops, ticker)
                : null;
        this.logins = new HalfOpenLogins(config.login().maxHalfOpen());
        this.headerThrottle = new LogThrottle(Duration.ofSeconds(5), ticker);
        this.tlsThrottle = new LogThrottle(Duration.ofSeconds(5), ticker);
        this.unreachableThrottle = new LogThrottle(Duration.ofSeconds(5), ticker);
        this.acceptThrottle = new LogThrottle(Duration.ofSeconds(5), ticker);
    }

    @Override
    public void open() throws ProxyException {
        InetSocketAddress wanted = address.resolve();
        if (wanted.isUnresolved()) {
            throw new ProxyException(
                    ProxyError.INTERNAL,
                    "cannot listen on " + address + ": the host name is not known on this machine");
        }
        // So that no event loop ever waits for them.
        tls.awaitRsaKeys();
        if (pool != null && pool.config().users() != null) {
            tls.requireRsaKeys();
        }
        ChannelFuture bound = new ServerBootstrap()
                .group(loops)
                .channelFactory(transport.serverChannelFactory())
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, config.backlog())
                .handler(new AcceptGuard())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                // The session decides when to read, and half-open sockets are its business.
                .childOption(ChannelOption.AUTO_READ, false)
                .bind(wanted)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new ProxyException(
                    ProxyError.INTERNAL,
                    "cannot listen on " + address + " (" + bound.cause().getMessage()
                            + "): end the program that uses it, or choose another address with --bind or proxy.addr");
        }
        server = bound.channel();
        accepting = true;
        // The host as it was asked for: a wildcard would come back as that of IPv6.
        int port = ((InetSocketAddress) bound.channel().localAddress()).getPort();
        address = new HostPort(address.host(), port);
    }

    @Override
    public void accept(boolean accept) {
        accepting = accept;
        Channel channel = server;
        if (channel != null) {
            // On its loop: from outside, a read that is already under way would still accept one client.
            channel.eventLoop()
                    .submit(() -> channel.config().setAutoRead(accept))
                    .awaitUninterruptibly();
        }
    }

    @Override
    public void close() {
        accepting = false;
        Channel channel = server;
        if (channel != null) {
            server = null;
            channel.close().awaitUninterruptibly();
            if (transport == NetworkTransport.NIO) {
                // The JDK frees the port when the selector has forgotten the channel: one more turn of the loop.
                channel.eventLoop().schedule(() -> {}, 1, TimeUnit.MILLISECONDS).awaitUninterruptibly();
            }
        }
    }

    /** Ends the event loops; sessions that are still open are cut. Blocks for a second at most. */
    public void shutdown() {
        close();
        if (pool != null) {
            pool.close();
        }
        if (tcpPool != null) {
            tcpPool.close();
        }
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(1, TimeUnit.SECONDS);
    }

    @Override
    public HostPort address() {
        return address;
    }

    /** The transport in use: {@code EPOLL} or {@code NIO}. */
    public NetworkTransport transport() {
        return transport;
    }

    private void accept(SocketChannel channel) {
        options.apply(channel.config());
        switch (config.protocol()) {
            case TCP -> acceptTcp(channel);
            case MYSQL -> acceptMySql(channel);
        }
    }

    private void acceptTcp(SocketChannel channel) {
        if (!sessions.tryAdmit()) {
            log.debug("a client was rejected: all {} connections are in use", sessions.maxConnections());
            channel.config().setSoLinger(0);
            channel.close();
            return;
        }
        newTcpSession(channel).run();
        channel.config().setAutoRead(true);
    }

    private TcpSession newTcpSession(SocketChannel channel) {
        return tcpPool == null ? new TcpSession(this, channel) : new PooledTcpSession(this, tcpPool, channel);
    }

    private void acceptMySql(SocketChannel channel) {
        if (!logins.tryEnter()) {
            sessions.countRejected();
            reject(
                    channel,
                    EndReason.TOO_MANY_LOGINS,
                    "Too many connections: " + logins.limit()
                            + " others are not logged in yet, which is the limit (proxy.max-half-open-logins)");
        } else if (!sessions.tryAdmit()) {
            logins.leave();
            reject(
                    channel,
                    EndReason.TOO_MANY_CONNECTIONS,
                    "Too many connections: all " + sessions.maxConnections()
                            + " that this proxy allows are in use (proxy.max-connections)");
        } else {
            newMySqlSession(channel).run();
            channel.config().setAutoRead(true);
        }
    }

    private MySqlSession newMySqlSession(SocketChannel channel) {
        return pool == null
                ? new MySqlSession(this, mysql, channel)
                : new PooledMySqlSession(this, mysql, pool, channel);
    }

    /** Says why, in place of the greeting, as servers do. */
    private void reject(SocketChannel channel, EndReason reason, String text) {
        log.debug("client {} was rejected: {}", channel.remoteAddress(), text);
        mysql.newShare().ended(new SessionEnd(reason.source(), reason, text));
        ByteBuffer err =
                ErrPacket.of(ErrorCode.ER_CON_COUNT_ERROR, text).encode().toPacket(0);
        channel.write(Unpooled.wrappedBuffer(err), channel.voidPromise());
        lingeringClose.close(channel);
    }

    /**
     * Says whether the backend runs, where somebody starts and stops it: while it does not, a pool keeps no connections to
     * it and opens none. Thread-safe; does not block.
     */
    public void backendRuns(boolean runs) {
        backendRuns = runs;
        addresses.set(runs ? backends.stream().map(WeightedAddress::of).toList() : List.of());
    }

    /** A session may use the backend: that it runs may not have been told yet. */
    void backendAdmits() {
        if (!backendRuns) {
            backendRuns(true);
        }
    }

    /** The backend connections that sessions share; null if they share none. */
    public @Nullable SharedConnections sharedConnections() {
        return pool == null ? tcpPool : pool;
    }

    SessionRegistry sessions() {
        return sessions;
    }

    BackendGate gate() {
        return gate;
    }

    BackendConnector connector() {
        return connector;
    }

    /** The only backend, where there is no pool. */
    HostPort backend() {
        return backends.get(0);
    }

    ProxyProtocolConfig proxyProtocol() {
        return config.proxyProtocol();
    }

    LoginLimits loginLimits() {
        return config.login();
    }

    HalfOpenLogins logins() {
        return logins;
    }

    LingeringClose lingeringClose() {
        return lingeringClose;
    }

    @Override
    public int halfOpenLogins() {
        return logins.count();
    }

    @Override
    public long badProxyHeadersTotal() {
        return badProxyHeadersTotal.sum();
    }

    void badProxyHeader(HostPort peer, String message) {
        badProxyHeadersTotal.increment();
        headerThrottle.run(suppressed -> log.warn("connection from {} refused: {}{}", peer, message, suppressed));
    }

    Duration idleTimeout() {
        return config.idleTimeout();
    }

    Ticker ticker() {
        return ticker;
    }

    void clientTlsFailed(HostPort client, String text) {
        tlsThrottle.run(suppressed -> log.warn("TLS with client {} failed: {}{}", client, text, suppressed));
    }

    void unreachable(String message) {
        unreachableThrottle.run(suppressed -> log.warn("{}{}", message, suppressed));
    }

    /** Pauses accepting when an accept fails, where trying again at once would fail again and spin. */
    private final class AcceptGuard extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            acceptThrottle.run(suppressed -> log.warn(
                    "accepting on {} failed ({}) with {} connections open: pausing for {} ms;"
                            + " if file descriptors ran out, raise `ulimit -n` or set proxy.max-connections{}",
                    address,
                    cause.getMessage(),
                    sessions.active(),
                    ACCEPT_PAUSE_MILLIS,
                    suppressed));
            ctx.channel().config().setAutoRead(false);
            ctx.channel()
                    .eventLoop()
                    .schedule(
                            () -> ctx.channel().config().setAutoRead(accepting),
                            ACCEPT_PAUSE_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }
}

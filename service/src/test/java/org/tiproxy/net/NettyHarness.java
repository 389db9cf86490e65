package org.tiproxy.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ProxyException;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SocketPeer;
import org.tiproxy.testing.RawClient;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.server.HandshakeV10;

/** A {@link MySqlSession} on real sockets between the two peers; the gate opens when the backend is asked for. */
final class NettyHarness implements EngineHarness {
    private static final int HEADER = 4;
    private static final int PATIENCE_SECONDS = 20;
    private static final Duration LOGIN_TIMEOUT = Duration.ofSeconds(PATIENCE_SECONDS);
    private static final Bytes SCRAMBLE = Bytes.ofUtf8("abcdefghijklmnopqrst");
    /** OK, no rows, no id, autocommit, no warnings. */
    private static final byte[] OK = {0, 0, 0, 2, 0, 0, 0};

    private final SessionRegistry registry = new SessionRegistry(0);
    private final ServerSocket backendListener = new ServerSocket(0, 2, InetAddress.getLoopbackAddress());
    private final BlockingQueue<BackendGate.Visitor> waiting = new LinkedBlockingQueue<>();
    private final BlockingQueue<MySqlSession> accepted = new LinkedBlockingQueue<>();
    private final CompletableFuture<SessionEnd> end = new CompletableFuture<>();
    private final Path keyStore;
    private final MySqlProtocol protocol;
    private final ProxyListener proxy;
    private final MultiThreadIoEventLoopGroup loop;
    private final Channel listener;
    private final MySqlSession session;
    private final BackendGate.Visitor visitor;
    private final SocketPeer client;
    private @Nullable SocketPeer backend;
    private @Nullable RawClient otherClient;
    private @Nullable SocketPeer otherBackend;

    NettyHarness(SessionConfig config, Path keyStore, SslContext clientTls, SslContext backendTls) throws Exception {
        this.keyStore = keyStore;
        NetworkTransport transport = NetworkTransport.AUTO.resolved();
        protocol = new MySqlProtocol(config, registry, LOGIN_TIMEOUT, clientTls, backendTls) {
            @Override
            void ended(SessionEnd sessionEnd) {
                super.ended(sessionEnd);
                end.complete(sessionEnd);
            }
        };
        proxy = new ProxyListener(
                new ProxyConfig(
                        new HostPort("127.0.0.1", 0),
                        ProxyConfig.Protocol.MYSQL,
                        0,
                        Duration.ZERO,
                        true,
                        Duration.ofSeconds(5),
                        1,
                        2,
                        NetworkTransport.AUTO,
                        Duration.ZERO,
                        Duration.ZERO),
                new HostPort("127.0.0.1", backendListener.getLocalPort()),
                entering -> {
                    waiting.add(entering);
                    return () -> {};
                },
                registry,
                Ticker.SYSTEM,
                Runnable::run);
        loop = new MultiThreadIoEventLoopGroup(1, transport.ioHandlerFactory());
        SocketOptions options = new SocketOptions(true, false, transport);
        listener = new ServerBootstrap()
                .group(loop)
                .channelFactory(transport.serverChannelFactory())
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        options.apply(channel.config());
                        registry.tryAdmit();
                        MySqlSession begun = new MySqlSession(proxy, protocol, channel);
                        begun.begin();
                        accepted.add(begun);
                        channel.config().setAutoRead(true);
                    }
                })
                .bind("127.0.0.1", 0)
                .sync()
                .channel();
        client = SocketPeer.of(connect(), true, keyStore);
        session = next(accepted);
        visitor = next(waiting);
    }

    private int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    private Socket connect() throws IOException {
        return new Socket("127.0.0.1", port());
    }

    @Override
    public int connectionId() {
        return protocol.virtualId(session.id());
    }

    @Override
    public long otherVirtualId() {
        try {
            RawClient other = new RawClient(port());
            otherClient = other;
            MySqlSession otherSession = next(accepted);
            next(waiting).admitted();
            SocketPeer server = SocketPeer.of(backendListener.accept(), false, keyStore);
            otherBackend = server;
            HandshakeV10 greeting = new HandshakeV10(
                    "8.4.3", (int) OTHER_BACKEND_ID, SCRAMBLE, RawClient.CAPABILITIES, 45, 2, "mysql_native_password");
            server.send(greeting.encode().toPacket(0).array());
            other.greet();
            byte[] login = RawClient.login(RawClient.CAPABILITIES, "mysql_native_password", Bytes.EMPTY);
            other.send(1, login);
            server.receive(HEADER + login.length);
            server.send(new byte[] {(byte) OK.length, 0, 0, 2}, OK);
            other.expect();
            return protocol.virtualId(otherSession.id());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Peer client() {
        return client;
    }

    @Override
    public Peer backend() {
        if (backend == null) {
            visitor.admitted();
            try {
                backend = SocketPeer.of(backendListener.accept(), false, keyStore);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        return backend;
    }

    @Override
    public void refuseBackend(ProxyException cause) {
        visitor.refused(cause);
    }

    @Override
    public SessionActions actions() {
        return new SessionActions() {
            @Override
            public void kill(ProxyException cause) {
                session.close(cause.error(), String.valueOf(cause.getMessage()));
            }

            @Override
            public void drain() {
                throw new UnsupportedOperationException("nobody drains a session of this adapter yet");
            }

            @Override
            public void loginTimedOut() {
                throw new UnsupportedOperationException("the adapter has a timer of its own: " + LOGIN_TIMEOUT);
            }
        };
    }

    @Override
    public SessionEnd end() {
        try {
            return end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the session is not over", e);
        }
    }

    @Override
    public void close() {
        try {
            client.close();
            if (backend != null) {
                backend.close();
            }
            if (otherClient != null) {
                otherClient.close();
            }
            if (otherBackend != null) {
                otherBackend.close();
            }
            listener.close().syncUninterruptibly();
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            proxy.shutdown();
            backendListener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T element = queue.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (element == null) {
            throw new AssertionError("no client was accepted");
        }
        return element;
    }
}

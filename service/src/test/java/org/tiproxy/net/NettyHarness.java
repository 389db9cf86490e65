package org.tiproxy.net;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.net.tls.TlsFiles;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SocketPeer;
import org.tiproxy.session.TlsMode;
import org.tiproxy.testing.RawClient;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.server.HandshakeV10;

/** A session of a {@link ProxyListener} on real sockets between the two peers; the gate opens on the backend's first use. */
final class NettyHarness implements EngineHarness {
    private static final int HEADER = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");
    private static final Pattern ENDED = Pattern.compile("(\\w+) \\((\\w+)\\): (.*)", Pattern.DOTALL);
    private static final Bytes SCRAMBLE = Bytes.ofUtf8("abcdefghijklmnopqrst");
    /** OK, no rows, no id, autocommit, no warnings. */
    private static final byte[] OK = {0, 0, 0, 2, 0, 0, 0};

    private final ServerSocket backendListener = new ServerSocket(0, 2, InetAddress.getLoopbackAddress());
    private final BlockingQueue<BackendGate.Visitor> waiting = new LinkedBlockingQueue<>();
    private final Path keyStore;
    private final ProxyTls tls;
    private final TestProxy proxy;
    private final MySqlSession session;
    private final SocketPeer client;
    private @Nullable SocketPeer backend;
    private @Nullable RawClient otherClient;
    private @Nullable SocketPeer otherBackend;

    /** As the proxy's TLS the session has only the modes of {@code config}. */
    NettyHarness(SessionConfig config, Path keyStore) throws Exception {
        this.keyStore = keyStore;
        tls = ProxyTls.open(security(config.clientTls(), config.backendTls()));
        proxy = new TestProxy();
        proxy.tls = tls;
        proxy.gate = entering -> {
            waiting.add(entering);
            return () -> {};
        };
        proxy.start(new HostPort("127.0.0.1", backendListener.getLocalPort()));
        client = SocketPeer.of(proxy.connect(), true, keyStore);
        session = nextSession();
    }

    private static SecurityConfig security(TlsMode client, TlsMode backend) {
        return new SecurityConfig(
                client == TlsMode.DISABLED
                        ? null
                        : new SecurityConfig.ServerTls(TlsFiles.NONE, true, false, List.of(), PROTOCOLS),
                backend == TlsMode.DISABLED ? null : new SecurityConfig.SqlTls(TlsFiles.NONE, false, false, PROTOCOLS),
                client == TlsMode.REQUIRED,
                backend == TlsMode.REQUIRED);
    }

    /** Who waits at the gate is the session itself. */
    private MySqlSession nextSession() throws InterruptedException {
        BackendGate.Visitor visitor = waiting.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (visitor == null) {
            throw new AssertionError("no client was accepted");
        }
        return (MySqlSession) visitor;
    }

    private SocketPeer acceptBackend() throws Exception {
        Socket socket = backendListener.accept();
        return SocketPeer.of(socket, false, keyStore);
    }

    @Override
    public int connectionId() {
        return MySqlProtocol.virtualId(session.id());
    }

    @Override
    public long otherVirtualId() {
        try {
            RawClient other = new RawClient(proxy.address().port());
            otherClient = other;
            MySqlSession otherSession = nextSession();
            otherSession.admitted();
            SocketPeer server = acceptBackend();
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
            return otherSession.connectionId();
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
            session.admitted();
            try {
                backend = acceptBackend();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        return backend;
    }

    @Override
    public void refuseBackend(ProxyException cause) {
        session.refused(cause);
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
                session.drain();
            }

            @Override
            public void loginTimedOut() {
                throw new UnsupportedOperationException("the adapter has a timer of its own");
            }
        };
    }

    @Override
    public SessionEnd end() {
        await("the session to leave the registry")
                .atMost(PATIENCE)
                .until(() -> proxy.sessions.find(session.id()) == null);
        Matcher ended = ENDED.matcher(session.ended());
        if (!ended.matches()) {
            throw new AssertionError("the session has gone and does not say why: '" + session.ended() + "'");
        }
        return new SessionEnd(ErrorSource.valueOf(ended.group(1)), EndReason.valueOf(ended.group(2)), ended.group(3));
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
            proxy.close();
            tls.close();
            backendListener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

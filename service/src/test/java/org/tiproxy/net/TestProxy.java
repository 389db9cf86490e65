package org.tiproxy.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.IpNetwork;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.ProxyTls;

/** A proxy on a free port of the loopback interface, and the clients that a test connects to it. */
final class TestProxy implements AutoCloseable {
    ProxyConfig.Protocol protocol = ProxyConfig.Protocol.MYSQL;
    NetworkTransport transport = NetworkTransport.AUTO;
    int maxConnections;
    Duration idleTimeout = Duration.ZERO;
    ProxyProtocolConfig.Version towardsBackend = ProxyProtocolConfig.Version.OFF;
    String trusted = "";
    LoginLimits login = LoginLimits.DEFAULT;
    BackendGate gate = BackendGate.open();
    /** The caller closes it. */
    ProxyTls tls = ProxyTls.none();

    SessionRegistry sessions;
    ProxyListener listener;

    private final ExecutorService resolver = Executors.newCachedThreadPool();
    private final List<Socket> clients = new ArrayList<>();

    TestProxy start(HostPort backend) throws ProxyException {
        sessions = new SessionRegistry(maxConnections);
        ProxyConfig config = new ProxyConfig(
                new HostPort("127.0.0.1", 0),
                protocol,
                maxConnections,
                idleTimeout,
                true,
                Duration.ofSeconds(5),
                2,
                128,
                transport,
                Duration.ZERO,
                Duration.ofSeconds(15),
                new ProxyProtocolConfig(
                        towardsBackend, trusted.isEmpty() ? List.of() : List.of(IpNetwork.parse(trusted))),
                login);
        listener = new ProxyListener(config, backend, gate, sessions, Ticker.SYSTEM, resolver, tls);
        listener.open();
        return this;
    }

    HostPort address() {
        return listener.address();
    }

    Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), address().port());
        socket.setSoTimeout(30_000);
        clients.add(socket);
        return socket;
    }

    @Override
    public void close() throws IOException {
        for (Socket client : clients) {
            client.close();
        }
        if (listener != null) {
            listener.shutdown();
        }
        resolver.shutdownNow();
    }
}

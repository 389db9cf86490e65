package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;

/** What becomes of a pooled connection whose client leaves before it has got it. */
@Timeout(60)
class DepartedClientTest {
    private final SessionRegistry sessions = new SessionRegistry(0);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Socket> sockets = new ArrayList<>();
    private ServerSocket server;
    private ProxyListener proxy;
    private PoolControl pool;

    @BeforeEach
    void listen() throws Exception {
        server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        server.setSoTimeout(30_000);
        proxy = new ProxyListener(
                TestProxyConfig.mysql(NetworkTransport.AUTO),
                new PoolingConfig(PoolingConfig.Mode.SESSION, PoolConfig.DEFAULT, false, null),
                new HostPort("127.0.0.1", server.getLocalPort()),
                BackendGate.open(),
                sessions,
                Ticker.SYSTEM,
                threads,
                ProxyTls.none());
        proxy.open();
        pool = Objects.requireNonNull(proxy.sharedConnections()).control();
    }

    @AfterEach
    void close() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        proxy.shutdown();
        server.close();
        threads.shutdownNow();
    }

    private Socket client() throws IOException {
        return opened(
                new Socket(InetAddress.getLoopbackAddress(), proxy.address().port()));
    }

    private MySqlPeer backend() throws IOException {
        return new MySqlPeer(opened(server.accept()));
    }

    private Socket opened(Socket socket) throws IOException {
        socket.setSoTimeout(30_000);
        sockets.add(socket);
        return socket;
    }

    private void awaitNobody() {
        await().untilAsserted(() -> assertThat(sessions.sessions()).isEmpty());
    }

    @Test
    void aConnectionOnWhichNobodyIsLoggedInIsNotKept() throws Exception {
        // The proxy learns what the backend greets with.
        Socket first = client();
        MySqlPeer backend = backend();
        backend.greet();
        new MySqlPeer(first).read();
        first.close();
        assertThat(backend.atEnd()).isTrue();
        awaitNobody();

        Socket second = client();
        MySqlPeer peer = new MySqlPeer(second);
        peer.read();
        peer.respond();
        MySqlPeer another = backend();
        second.close();
        awaitNobody();
        another.greet();

        assertThat(another.atEnd()).isTrue();
        await().untilAsserted(() -> assertThat(pool.statistics().total()).isZero());
    }
}

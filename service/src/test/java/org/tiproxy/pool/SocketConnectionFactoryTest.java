package org.tiproxy.pool;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tiproxy.common.HostPort;

@Timeout(60)
class SocketConnectionFactoryTest {
    private ServerSocket server;
    private final Queue<Socket> accepted = new ConcurrentLinkedQueue<>();
    private final SocketConnectionFactory factory = new SocketConnectionFactory();
    private ConnectionPool<SocketConnection> pool;

    @BeforeEach
    void open() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        Thread echo = new Thread(this::acceptAll);
        echo.setDaemon(true);
        echo.start();
        pool = ConnectionPool.create(
                factory,
                StaticAddresses.of(new HostPort("127.0.0.1", server.getLocalPort())),
                PoolConfig.builder()
                        .maxConnectionsPerAddress(2)
                        .acquireTimeout(Duration.ofSeconds(20))
                        .build());
    }

    @AfterEach
    void close() throws Exception {
        pool.close();
        pool.closed().get(20, SECONDS);
        factory.close();
        server.close();
        for (Socket socket : accepted) {
            socket.close();
        }
    }

    private void acceptAll() {
        try {
            while (true) {
                Socket socket = server.accept();
                accepted.add(socket);
                Thread thread = new Thread(() -> echo(socket));
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            // The test is over.
        }
    }

    private static void echo(Socket socket) {
        try {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // Closed by the test.
        }
    }

    private static String ask(SocketConnection connection, String text) throws IOException {
        connection.output().write(text.getBytes(StandardCharsets.US_ASCII));
        return new String(connection.input().readNBytes(text.length()), StandardCharsets.US_ASCII);
    }

    @Test
    void talksOverOneConnectionAgainAndAgain() throws Exception {
        for (int i = 0; i < 1000; i++) {
            try (Lease<SocketConnection> lease = pool.acquire()) {
                assertThat(ask(lease.connection(), "hello " + i)).isEqualTo("hello " + i);
            }
        }
        assertThat(accepted).hasSize(1);
        assertThat(pool.control().statistics().reusedTotal()).isEqualTo(999);
    }

    @Test
    void noticesThatThePeerHasClosedAnIdleConnection() throws Exception {
        pool.acquire().release();
        await().until(() -> accepted.size() == 1);
        accepted.element().close();
        await().atMost(20, SECONDS).until(() -> pool.control().statistics().brokenTotal() == 1);
        assertThat(pool.control().statistics().lastFailure()).endsWith("closed by the peer");
    }

    @Test
    void anUnreadAnswerIsNeverSeenByTheNextCaller() throws Exception {
        try (Lease<SocketConnection> lease = pool.acquire()) {
            SocketConnection connection = lease.connection();
            connection.output().write("secret".getBytes(StandardCharsets.US_ASCII));
            // Reads the first byte, so that all are there, and leaves the others.
            assertThat(connection.input().read()).isEqualTo('s');
        }
        try (Lease<SocketConnection> lease = pool.acquire()) {
            assertThat(ask(lease.connection(), "mine!!")).isEqualTo("mine!!");
        }
    }

    @Test
    void survivesARestartOfTheServer() throws Exception {
        int port = server.getLocalPort();
        pool.acquire().release();
        await().until(() -> accepted.size() == 1);
        server.close();
        for (Socket socket : accepted) {
            socket.close();
        }
        // The system may send the end of a connection a moment after the close, while another thread reads from it.
        await().until(() -> pool.control().statistics().brokenTotal() == 1);
        assertThatThrownBy(() -> pool.acquire(Duration.ofMillis(200)))
                .isInstanceOf(AcquireException.class)
                .hasMessageContaining("last connect failure: ");
        server = new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
        Thread echo = new Thread(this::acceptAll);
        echo.setDaemon(true);
        echo.start();
        try (Lease<SocketConnection> lease = pool.acquire()) {
            assertThat(ask(lease.connection(), "back")).isEqualTo("back");
        }
    }
}

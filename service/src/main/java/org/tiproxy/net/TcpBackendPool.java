package org.tiproxy.net;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.pool.AddressSource;
import org.tiproxy.pool.ConnectionFactory;
import org.tiproxy.pool.ConnectionPool;
import org.tiproxy.pool.IdleListener;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolControl;

/** The backend connections that sessions of any protocol use one after the other, see {@link PooledTcpSession}. Thread-safe. */
final class TcpBackendPool implements SharedConnections {
    private final PoolingConfig config;
    private final BackendConnector connector;
    private final NetworkTransport transport;
    private final EventLoopGroup loops;
    private final ConnectionPool<PooledChannel> pool;

    TcpBackendPool(
            PoolingConfig config,
            AddressSource addresses,
            BackendConnector connector,
            NetworkTransport transport,
            EventLoopGroup loops,
            Ticker ticker) {
        this.config = config;
        this.connector = connector;
        this.transport = transport;
        this.loops = loops;
        this.pool =
                ConnectionPool.create(new Factory(), addresses, config.pool(), ticker, BackendPool.scheduler(loops));
    }

    /** How long nothing may come before a connection is taken to be at rest. */
    Duration quietTime() {
        return config.quietTime();
    }

    /** Asks for a connection on which nothing is expected. */
    CompletableFuture<Lease<PooledChannel>> acquire() {
        return pool.acquireAsync();
    }

    /** The last look at a connection before a session's bytes go out; on its event loop. */
    boolean isUsable(PooledChannel connection) {
        return connection.isAlive() && transport.isEstablished(connection.channel);
    }

    void close() {
        pool.close();
    }

    @Override
    public String mode() {
        return config.mode().name().toLowerCase(Locale.ROOT);
    }

    @Override
    public PoolControl control() {
        return pool.control();
    }

    @Override
    public List<SharedConnection> listConnections() {
        return control().listConnections().stream()
                .map(info -> new SharedConnection(info, "", 0))
                .toList();
    }

    @Override
    public int evictUser(String user) {
        throw new IllegalStateException(
                "with pool.mode = \"tcp\" nobody knows who uses a connection: evictIdle or softEvict closes all");
    }

    private final class Factory implements ConnectionFactory<PooledChannel> {
        @Override
        public CompletableFuture<PooledChannel> connect(HostPort address, Duration timeout) {
            CompletableFuture<PooledChannel> opened = new CompletableFuture<>();
            PooledChannel[] made = new PooledChannel[1];
            connector.connect(
                    BackendPool.ownLoop(loops),
                    address,
                    channel -> {
                        made[0] = new PooledChannel(channel);
                        return made[0];
                    },
                    outcome -> {
                        PooledChannel connection = made[0];
                        if (!outcome.isSuccess() || connection == null) {
                            opened.completeExceptionally(new IOException(BackendConnector.describe(outcome.cause())));
                            return;
                        }
                        SocketChannel channel = connection.channel;
                        channel.config().setAutoRead(true);
                        if (!opened.complete(connection)) {
                            channel.close();
                        }
                    });
            return opened;
        }

        /** Nobody knows what the backend would answer to: only its end can be noticed. */
        @Override
        public CompletableFuture<Boolean> probe(PooledChannel connection, Duration timeout) {
            CompletableFuture<Boolean> answered = new CompletableFuture<>();
            connection.channel.eventLoop().execute(() -> answered.complete(isUsable(connection)));
            return answered;
        }

        @Override
        public void close(PooledChannel connection) {
            connection.close();
        }

        @Override
        public void idle(PooledChannel connection, IdleListener listener) {
            connection.watch(listener);
        }

        @Override
        public boolean reuse(PooledChannel connection) {
            return connection.endWatch();
        }
    }
}

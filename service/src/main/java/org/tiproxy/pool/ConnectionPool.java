package org.tiproxy.pool;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.Ticker;

/**
 * A bounded pool of connections that are all alike. It is a {@link KeyedPool} with a single key; what that class says about
 * threads, order and failures holds here.
 *
 * <pre>{@code
 * ConnectionPool<SocketConnection> pool = ConnectionPool.create(
 *         new SocketConnectionFactory(),
 *         StaticAddresses.of(HostPort.parse("127.0.0.1:6379")),
 *         PoolConfig.builder().name("redis").maxConnectionsPerAddress(20).build());
 * try (Lease<SocketConnection> lease = pool.acquire()) {
 *     lease.connection().output().write(request);
 *     ...
 * }
 * }</pre>
 *
 * @param <C> the connection
 */
public final class ConnectionPool<C> implements AutoCloseable {
    private final KeyedPool<Unkeyed, C> pool;

    ConnectionPool(KeyedPool<Unkeyed, C> pool) {
        this.pool = pool;
    }

    /** A pool with a timer thread of its own, on the system's clock. */
    public static <C> ConnectionPool<C> create(
            ConnectionFactory<C> factory, AddressSource addresses, PoolConfig config) {
        return new ConnectionPool<>(KeyedPool.create(factory, addresses, config, Unkeyed.KEY));
    }

    /**
     * A pool that is told the time.
     *
     * @param scheduler stays open when the pool is closed
     */
    public static <C> ConnectionPool<C> create(
            ConnectionFactory<C> factory,
            AddressSource addresses,
            PoolConfig config,
            Ticker ticker,
            Scheduler scheduler) {
        return new ConnectionPool<>(KeyedPool.create(factory, addresses, config, Unkeyed.KEY, ticker, scheduler));
    }

    /** See {@link KeyedPool#acquire(Object)}. */
    public Lease<C> acquire() throws InterruptedException {
        return pool.acquire(Unkeyed.KEY);
    }

    /** See {@link KeyedPool#acquire(Object, Duration)}. */
    public Lease<C> acquire(Duration timeout) throws InterruptedException {
        return pool.acquire(Unkeyed.KEY, timeout);
    }

    /** See {@link KeyedPool#acquireAsync(Object)}. */
    public CompletableFuture<Lease<C>> acquireAsync() {
        return pool.acquireAsync(Unkeyed.KEY);
    }

    /** See {@link KeyedPool#acquireAsync(Object, Duration)}. */
    public CompletableFuture<Lease<C>> acquireAsync(Duration timeout) {
        return pool.acquireAsync(Unkeyed.KEY, timeout);
    }

    /** What an operator sees and does. */
    public PoolControl control() {
        return pool.control();
    }

    /** See {@link KeyedPool#close}. */
    @Override
    public void close() {
        pool.close();
    }

    /** See {@link KeyedPool#closed}. */
    public CompletableFuture<Void> closed() {
        return pool.closed();
    }
}

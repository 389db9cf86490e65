package org.tiproxy.pool;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Ticker;

/**
 * A bounded pool of connections of which only those with the same key can stand in for each other. What belongs in a key:
 * everything that was settled when the connection was opened and that a borrower relies on.
 *
 * <p>The bound per address is over all keys. When it is reached, the connection that has been idle for the longest under
 * another key is closed to make room. Acquires are served first come, first served among those with the same key; see the
 * package's description for what holds between keys.
 *
 * <p>Thread-safe. Futures are completed by the thread that made the connection available (one that releases, connects or
 * keeps time): attach quick work only, or use the {@code Async} methods. No lock is held meanwhile.
 *
 * @param <K> the key; needs {@code equals}, {@code hashCode} and a {@code toString} without credentials
 * @param <C> the connection
 */
public final class KeyedPool<K, C> implements AutoCloseable {
    private final PoolCore<K, C> core;
    private final PoolControl control;
    private final AddressSource.Subscription subscription;

    KeyedPool(PoolCore<K, C> core, AddressSource addresses) {
        this.core = core;
        this.control = new CoreControl<>(core);
        this.subscription = addresses.subscribe(core::setAddresses);
    }

    /**
     * A pool with a timer thread of its own, on the system's clock.
     *
     * @param minIdleKey the key of connections that are opened for {@code minIdle} before anybody has asked for one; null
     *     to open none then. Later the key that was asked for last counts
     */
    public static <K, C> KeyedPool<K, C> create(
            KeyedConnectionFactory<K, C> factory, AddressSource addresses, PoolConfig config, @Nullable K minIdleKey) {
        TimerThread timer = new TimerThread("tiproxy-pool-" + config.name());
        KeyedPool<K, C> pool = create(factory, addresses, config, minIdleKey, Ticker.SYSTEM, timer);
        pool.closed().whenComplete((nothing, failure) -> timer.close());
        return pool;
    }

    /**
     * A pool that is told the time.
     *
     * @param minIdleKey the key of connections that are opened for {@code minIdle} before anybody has asked for one; null
     *     to open none then. Later the key that was asked for last counts
     * @param scheduler stays open when the pool is closed
     */
    public static <K, C> KeyedPool<K, C> create(
            KeyedConnectionFactory<K, C> factory,
            AddressSource addresses,
            PoolConfig config,
            @Nullable K minIdleKey,
            Ticker ticker,
            Scheduler scheduler) {
        PoolCore<K, C> core = new PoolCore<>(
                factory, config, minIdleKey, ticker, scheduler, IdleSlots.forThisMachine(), new Random());
        return new KeyedPool<>(core, addresses);
    }

    /**
     * Waits for a connection, up to the configured {@code acquireTimeout}. The thread is parked; neither an interruption
     * nor a time-out loses a connection.
     *
     * @throws AcquireException if there is none in time; its message has the numbers
     * @throws InterruptedException if the thread was interrupted before it got one
     */
    public Lease<C> acquire(K key) throws InterruptedException {
        Lease<C> parked = core.acquireParked(key);
        return parked != null
                ? parked
                : await(core.acquire(key, core.config().acquireTimeout().toNanos()));
    }

    /**
     * The same with a time-out of its own.
     *
     * @param timeout zero to take only what is there
     */
    public Lease<C> acquire(K key, Duration timeout) throws InterruptedException {
        Lease<C> parked = core.acquireParked(key);
        return parked != null ? parked : await(core.acquire(key, timeout.toNanos()));
    }

    /**
     * Asks for a connection. Cancel the future, or complete it exceptionally, to give up: a connection that comes all the
     * same goes to the next caller. When {@code cancel} answers false, the lease had come before and is to be released.
     * The future fails with {@link AcquireException}.
     */
    public CompletableFuture<Lease<C>> acquireAsync(K key) {
        return acquireAsync(key, core.config().acquireTimeout());
    }

    /** The same with a time-out of its own. */
    public CompletableFuture<Lease<C>> acquireAsync(K key, Duration timeout) {
        Lease<C> parked = core.acquireParked(key);
        return parked != null ? CompletableFuture.completedFuture(parked) : core.acquire(key, timeout.toNanos());
    }

    /**
     * Says what a borrowed connection has become: from its release on it is lent to those who ask for {@code key}. For
     * connections that are opened before it is known what for.
     *
     * @throws IllegalArgumentException if the lease was released, or is another pool's
     */
    public void rekey(Lease<C> lease, K key) {
        core.rekey(lease, key);
    }

    /** What an operator sees and does. */
    public PoolControl control() {
        return control;
    }

    /**
     * Fails the callers that wait, closes the idle connections at once and the others when they come back. Does not wait
     * for them: {@link #closed} does.
     */
    @Override
    public void close() {
        subscription.close();
        core.close();
    }

    /** Completes when the pool was closed and its last connection is. */
    public CompletableFuture<Void> closed() {
        return core.allClosed.copy();
    }

    private static <K, C> Lease<C> await(PendingAcquire<K, C> pending) throws InterruptedException {
        try {
            return pending.get();
        } catch (InterruptedException e) {
            if (!pending.cancel(false) && !pending.isCompletedExceptionally()) {
                // It came in the same moment.
                pending.join().release();
            }
            throw e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AcquireException refusal) {
                throw refusal.onThisThread();
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}

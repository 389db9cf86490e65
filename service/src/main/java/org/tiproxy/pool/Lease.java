package org.tiproxy.pool;

import java.nio.channels.ClosedByInterruptException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/**
 * The right to use a connection until it is released. Release every lease, from any thread; releasing it again does
 * nothing.
 *
 * <pre>{@code
 * try (Lease<SocketConnection> lease = pool.acquire()) {
 *     try {
 *         talk(lease.connection());
 *     } catch (IOException e) {
 *         lease.failed(e);
 *         throw e;
 *     }
 * }
 * }</pre>
 *
 * @param <C> the connection
 */
public final class Lease<C> implements AutoCloseable {
    private static final int HELD = 0;
    private static final int RELEASED = 1;

    // Not an AtomicInteger of its own: a lease is made for every acquire.
    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<Lease> STATE =
            AtomicIntegerFieldUpdater.newUpdater(Lease.class, "state");

    private final Entry<?, C> entry;
    private final C connection;
    final long acquiredAt;
    /** Where it was acquired; null unless leaks are looked for. */
    final @Nullable Throwable trace;
    /** Written by the housekeeping only. */
    volatile boolean reported;

    private volatile int state = HELD;

    Lease(Entry<?, C> entry, C connection, long acquiredAt, @Nullable Throwable trace) {
        this.entry = entry;
        this.connection = connection;
        this.acquiredAt = acquiredAt;
        this.trace = trace;
    }

    /**
     * The connection.
     *
     * @throws IllegalStateException if the lease was released: the connection may be somebody else's by now
     */
    public C connection() {
        if (state != HELD) {
            throw new IllegalStateException("the lease of " + entry + " was released");
        }
        return connection;
    }

    /** Where the connection goes to. */
    public HostPort address() {
        return entry.home.address;
    }

    /** How often the connection was lent, this time included; 1 means that it is new. */
    public long uses() {
        return entry.uses;
    }

    /**
     * Marks the connection: it is closed instead of reused when the lease is released. The connection must be marked when
     * it saw an error or was closed, and when what its peer will send next is not known.
     *
     * @param reason what happened, as a phrase for logs, without credentials
     */
    public void markBroken(String reason) {
        if (state == HELD) {
            entry.breakDown(reason);
        }
    }

    /**
     * Marks the connection because of a failure, unless that was the mere interruption of a thread that waited: an
     * {@link InterruptedException} says nothing about the connection. (A {@link ClosedByInterruptException} does.)
     */
    public void failed(Throwable cause) {
        if (!(cause instanceof InterruptedException)) {
            markBroken(String.valueOf(cause));
        }
    }

    /**
     * Has the connection closed instead of reused when the lease is released, although nothing is wrong with it or with
     * others to its address: it does not count as broken.
     *
     * @param reason why, as a phrase for logs, without credentials
     */
    public void retire(String reason) {
        if (state == HELD) {
            entry.evict(reason);
        }
    }

    /**
     * Whether the connection will be closed when the lease is released: it was marked, or evicted by an operator.
     * There is no point in tidying it up then.
     */
    public boolean isDoomed() {
        return entry.doom() != null;
    }

    /** Gives the connection back: to be reused, or to be closed if it was marked broken. Does not block. */
    public void release() {
        if (STATE.compareAndSet(this, HELD, RELEASED)) {
            entry.giveBack(this);
        }
    }

    /** Gives the connection back to be closed; short for {@link #markBroken} and {@link #release}. */
    public void releaseBroken(String reason) {
        markBroken(reason);
        release();
    }

    /** The same as {@link #release}. */
    @Override
    public void close() {
        release();
    }

    /** For log lines: {@code lease of connection 17 to 127.0.0.1:3306}. */
    @Override
    public String toString() {
        return "lease of " + entry;
    }
}

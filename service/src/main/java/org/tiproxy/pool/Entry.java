package org.tiproxy.pool;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One connection of the pool and what the pool knows about it.
 *
 * <pre>
 * CONNECTING -> IDLE     the factory has opened it
 *            -> CLOSED   the factory has failed, or was cancelled
 * IDLE       -> IN_USE   lent
 *            -> PROBING  idle for longer than the bypass window, or under suspicion, or keep-alive
 *            -> CLOSING  lost, evicted, too old, too many, idle for too long, or in the way of another key
 * PROBING    -> IDLE     it works
 *            -> CLOSING  it does not, or the same as for IDLE
 * IN_USE     -> IDLE     released healthy
 *            -> CLOSING  released broken, or the same as for IDLE
 * CLOSING    -> CLOSED   the factory has been told
 * </pre>
 *
 * An entry has one owner at a time: the pool's lock, or the thread that has taken it out of its idle slot, or the holder of
 * its lease. Fields without {@code volatile} are written by the owner only; others read them for statistics alone.
 */
final class Entry<K, C> implements IdleListener {
    final long id;
    /** Changes only while somebody has borrowed the connection. */
    private volatile K key;
    /** It is opened for nobody who waits. */
    final boolean ahead;
    /** Somebody who waits relies on it: it is counted in {@link WaitQueue#supply}. */
    final boolean awaited;

    final AddressPool<K, C> home;
    private final PoolCore<K, C> core;

    private EntryState state = EntryState.CONNECTING;
    private @Nullable C connection;
    /** Why it must not be lent again; never reset. */
    private volatile @Nullable String doom;

    private volatile boolean broken;
    /** The connect or probe under way. */
    volatile @Nullable CompletableFuture<?> operation;

    long createdAt;
    /** When it is too old; meaningless while {@link #ageless}. */
    long expiresAt;

    boolean ageless = true;
    long idleSince;
    /** When it was last known to work. */
    long lastGood;
    /** When the connect or probe under way has to be finished. */
    long operationDeadline;

    long uses;

    @Nullable
    Lease<C> lease;

    Entry(long id, K key, AddressPool<K, C> home, PoolCore<K, C> core, long now, boolean ahead, boolean awaited) {
        this.id = id;
        this.key = key;
        this.ahead = ahead;
        this.awaited = awaited;
        this.home = home;
        this.core = core;
        this.createdAt = now;
    }

    K key() {
        return key;
    }

    /** Called by its borrower. */
    void rekey(K newKey) {
        key = newKey;
    }

    EntryState state() {
        return state;
    }

    /** The only writer of the state. */
    void moveTo(EntryState next) {
        if (!state.mayBecome(next)) {
            throw new IllegalStateException("connection %d to %s: %s -> %s".formatted(id, home.address, state, next));
        }
        state = next;
    }

    C connection() {
        C value = connection;
        if (value == null) {
            throw new IllegalStateException("connection %d to %s is %s".formatted(id, home.address, state));
        }
        return value;
    }

    @Nullable
    C connectionIfOpen() {
        return connection;
    }

    void opened(C value) {
        connection = value;
    }

    /** Null while it may be lent. */
    @Nullable
    String doom() {
        return doom;
    }

    /** True if it is doomed because something went wrong with it. */
    boolean broken() {
        return broken;
    }

    /** It works, but is to be closed as soon as nobody uses it. */
    void evict(String reason) {
        if (doom == null) {
            doom = reason;
        }
    }

    /** It does not work. */
    void breakDown(String reason) {
        broken = true;
        if (doom == null) {
            doom = reason;
        }
    }

    boolean isExpired(long now) {
        return !ageless && now - expiresAt >= 0;
    }

    /** Called by its owner before it gives it up. */
    void becomeIdle(long now) {
        moveTo(EntryState.IDLE);
        lease = null;
        idleSince = now;
        lastGood = now;
    }

    /** Called by its owner, which the lease's holder is from now on. */
    Lease<C> lend(long now, @Nullable Throwable trace) {
        uses++;
        Lease<C> made = new Lease<>(this, connection(), now, trace);
        lease = made;
        return made;
    }

    void giveBack(Lease<C> released) {
        core.giveBack(this, released);
    }

    @Override
    public void lost(String reason) {
        // What is to be closed anyway may well have been closed by somebody already.
        if (doom == null) {
            breakDown(reason);
        }
        core.lost(this);
    }

    /** For log lines: {@code connection 17 to 127.0.0.1:3306}. */
    @Override
    public String toString() {
        return "connection " + id + " to " + home.address;
    }
}

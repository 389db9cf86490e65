package org.tiproxy.pool;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A caller that waits for a lease. Whoever completes the future settles it: the pool, or the caller who cancels. */
final class PendingAcquire<K, C> extends CompletableFuture<Lease<C>> {
    final K key;
    final long startedAt;
    final long deadline;
    final @Nullable Throwable trace;

    /** Its place in the queue. */
    long sequence;
    /** True while an entry that was taken for it is on its way. */
    boolean served;
    /** True while it waits again, after the entry that was taken for it turned out to be dead. */
    boolean returned;
    /** How many later callers with other keys were served before it. */
    int bypassed;

    PendingAcquire(K key, long startedAt, long timeoutNanos, @Nullable Throwable trace) {
        this.key = key;
        this.startedAt = startedAt;
        this.deadline = startedAt + timeoutNanos;
        this.trace = trace;
    }

    /** Dependents are plain futures: only this one is in the queue. */
    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }
}

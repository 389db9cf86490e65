package org.tiproxy.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a pool does because time has passed. Time-outs of waiting callers, of connects and of probes are kept to the
 * moment, ages and idle times are looked at once a second. Guarded by the pool's lock.
 */
final class Housekeeping<K, C> {
    private static final Logger log = LoggerFactory.getLogger(Housekeeping.class);
    private static final long PERIOD_NANOS = 1_000_000_000;
    /** A connect or probe that was to be cancelled before it had begun. */
    private static final long SOON_NANOS = 10_000_000;

    private final PoolCore<K, C> core;
    private boolean begun;
    private long next;

    Housekeeping(PoolCore<K, C> core) {
        this.core = core;
    }

    /** When ages are to be looked at. */
    long next(long now) {
        if (!begun) {
            begun = true;
            next = now + PERIOD_NANOS;
        }
        return next;
    }

    void run(long now, Effects effects) {
        expireCallers(now);
        cancelOperations(now, effects);
        if (now - next(now) >= 0) {
            next = now + PERIOD_NANOS;
            core.drainSlots();
            for (AddressPool<K, C> home : core.ring.all()) {
                inspectIdle(home, now);
                findLeaks(home, now);
            }
        }
        armNext(now);
    }

    private void expireCallers(long now) {
        PendingAcquire<K, C> caller = core.waiters.firstToExpire();
        while (caller != null && caller.deadline - now <= 0) {
            core.expire(caller, now);
            caller = core.waiters.firstToExpire();
        }
    }

    private void cancelOperations(long now, Effects effects) {
        for (AddressPool<K, C> home : core.ring.all()) {
            if (home.connecting + home.probing == 0) {
                continue;
            }
            for (Entry<K, C> entry : home.entries) {
                if (isUnderWay(entry) && entry.operationDeadline - now <= 0) {
                    CompletableFuture<?> operation = entry.operation;
                    if (operation == null) {
                        entry.operationDeadline = now + SOON_NANOS;
                    } else {
                        entry.operationDeadline = now + PERIOD_NANOS;
                        effects.add(() -> operation.cancel(false));
                    }
                }
            }
        }
    }

    private static boolean isUnderWay(Entry<?, ?> entry) {
        return entry.state() == EntryState.CONNECTING || entry.state() == EntryState.PROBING;
    }

    private void inspectIdle(AddressPool<K, C> home, long now) {
        PoolConfig config = core.config();
        long idleTimeout = config.idleTimeout().toNanos();
        long keepAlive = config.keepAlive().toNanos();
        List<Entry<K, C>> oldestFirst = new ArrayList<>(home.idle());
        // By age, not by the number itself, which may wrap around.
        oldestFirst.sort(Comparator.comparingLong(entry -> entry.idleSince - now));
        for (Entry<K, C> entry : oldestFirst) {
            if (idleTimeout > 0
                    && now - entry.idleSince >= idleTimeout
                    && home.idle().size() + home.probing > config.minIdle()) {
                entry.evict("idle for too long");
            }
            if (entry.doom() != null || entry.isExpired(now)) {
                home.removeIdle(entry);
                core.drop(entry);
            } else if (keepAlive > 0 && now - entry.lastGood >= keepAlive) {
                home.removeIdle(entry);
                core.probe(entry, now);
            }
        }
    }

    private void findLeaks(AddressPool<K, C> home, long now) {
        long threshold = core.config().leakDetectionThreshold().toNanos();
        if (threshold == 0) {
            return;
        }
        for (Entry<K, C> entry : home.entries) {
            Lease<C> lease = entry.lease;
            if (lease != null && !lease.reported && lease.trace != null && now - lease.acquiredAt >= threshold) {
                lease.reported = true;
                core.leakedTotal++;
                log.warn(
                        "{} - {} has been in use for {} s; is its lease leaked?",
                        core.config().name(),
                        entry,
                        (now - lease.acquiredAt) / 1_000_000_000,
                        lease.trace);
            }
        }
    }

    private void armNext(long now) {
        PendingAcquire<K, C> caller = core.waiters.firstToExpire();
        if (caller != null) {
            core.armAt(caller.deadline, now);
        }
        boolean any = false;
        for (AddressPool<K, C> home : core.ring.all()) {
            any |= !home.entries.isEmpty();
            if (home.failures > 0 && home.retryAt - now > 0) {
                core.armAt(home.retryAt, now);
            }
            if (home.connecting + home.probing > 0) {
                for (Entry<K, C> entry : home.entries) {
                    if (isUnderWay(entry)) {
                        core.armAt(entry.operationDeadline, now);
                    }
                }
            }
        }
        if (any) {
            core.armAt(next, now);
        }
    }
}

package org.tiproxy.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.tiproxy.common.HostPort;

/** An operator's view of a {@link PoolCore}. */
final class CoreControl<K, C> implements PoolControl {
    private final PoolCore<K, C> core;

    CoreControl(PoolCore<K, C> core) {
        this.core = core;
    }

    @Override
    public PoolConfig config() {
        return core.config();
    }

    @Override
    public void reconfigure(UnaryOperator<PoolConfig> change) {
        core.reconfigure(change.apply(core.config()));
    }

    @Override
    public PoolStatistics statistics() {
        return core.ask(this::count);
    }

    private PoolStatistics count() {
        List<AddressStatistics> rows = new ArrayList<>();
        Totals sum = new Totals(core);
        for (AddressPool<K, C> home : core.ring.all()) {
            AddressStatistics row = row(home);
            rows.add(row);
            sum.add(row, reused(home));
        }
        return new PoolStatistics(
                sum.active,
                sum.idle,
                core.waiters.size(),
                sum.total,
                sum.acquired,
                sum.created,
                sum.closed,
                sum.reused,
                core.timeoutsTotal,
                sum.broken,
                core.leakedTotal,
                core.acquireWait.summary(sum.acquired),
                core.connectTime.summary(0),
                core.lastFailure,
                core.lastFailureTime,
                core.suspended,
                core.closed,
                rows);
    }

    /** Starts with what addresses had that are forgotten. */
    private static final class Totals {
        int active;
        int idle;
        int total;
        long acquired;
        long reused;
        long created;
        long closed;
        long broken;

        Totals(PoolCore<?, ?> core) {
            acquired = core.ring.forgotten.acquired;
            reused = core.ring.forgotten.reused;
            created = core.ring.forgotten.created;
            closed = core.ring.forgotten.closed;
            broken = core.ring.forgotten.broken;
        }

        void add(AddressStatistics row, long reusedThere) {
            active += row.active();
            idle += row.idle();
            total += row.total();
            acquired += row.acquiredTotal();
            reused += reusedThere;
            created += row.createdTotal();
            closed += row.closedTotal();
            broken += row.brokenTotal();
        }
    }

    private AddressStatistics row(AddressPool<K, C> home) {
        int parked = core.parked(home);
        int active = Math.max(0, home.active(parked));
        long acquired = home.pastUses;
        for (Entry<K, C> entry : home.entries) {
            acquired += entry.uses;
        }
        return new AddressStatistics(
                home.address,
                home.weight,
                active,
                home.idle().size() + parked,
                home.connecting,
                home.probing,
                home.closing,
                home.entries.size(),
                acquired,
                home.created,
                home.closed,
                home.brokenTotal,
                home.connectFailures,
                home.failures,
                home.lastFailure,
                home.lastFailureTime);
    }

    private long reused(AddressPool<K, C> home) {
        long sum = home.pastReuses;
        for (Entry<K, C> entry : home.entries) {
            sum += Math.max(0, entry.uses - 1);
        }
        return sum;
    }

    @Override
    public Occupancy occupancy() {
        return core.ask(() -> {
            int idle = 0;
            int total = 0;
            for (AddressPool<K, C> home : core.ring.all()) {
                idle += home.idle().size() + core.parked(home);
                total += home.entries.size();
            }
            return new Occupancy(idle, total);
        });
    }

    @Override
    public List<ConnectionInfo> listConnections() {
        long now = core.ticker.nanoTime();
        return core.ask(() -> {
            List<ConnectionInfo> list = new ArrayList<>();
            for (AddressPool<K, C> home : core.ring.all()) {
                home.entries.forEach(entry -> list.add(info(entry, home.address, now)));
            }
            return list;
        });
    }

    private ConnectionInfo info(Entry<K, C> entry, HostPort address, long now) {
        EntryState state = entry.state();
        Lease<C> lease = entry.lease;
        long since = now;
        if (state == EntryState.IDLE) {
            since = entry.idleSince;
        } else if (state == EntryState.IN_USE && lease != null) {
            since = lease.acquiredAt;
        }
        return new ConnectionInfo(
                entry.id,
                address,
                entry.key(),
                state,
                Duration.ofNanos(Math.max(0, now - entry.createdAt)),
                entry.uses,
                Duration.ofNanos(Math.max(0, now - since)),
                entry.connectionIfOpen());
    }

    @Override
    public int evictIdle() {
        Set<Entry<K, C>> idle = core.idle();
        return core.evict(idle::contains, "an operator evicted the idle ones");
    }

    @Override
    public int softEvict() {
        return core.evict(entry -> true, "an operator had all replaced");
    }

    @Override
    public int evict(Predicate<ConnectionInfo> which) {
        // Asked without the lock: the predicate is a stranger's.
        Set<Long> ids = new HashSet<>();
        for (ConnectionInfo info : listConnections()) {
            if (which.test(info)) {
                ids.add(info.id());
            }
        }
        return core.evict(entry -> ids.contains(entry.id), "an operator evicted it");
    }

    @Override
    public void suspend() {
        core.setSuspended(true);
    }

    @Override
    public void resume() {
        core.setSuspended(false);
    }
}

package org.tiproxy.pool;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/**
 * The addresses, chosen by smooth weighted round robin: each gets its weight added at every choice, the richest is taken
 * and pays the sum. Over any sum of weights each is taken as often as its weight says, and a heavy one is not taken many
 * times in a row. Guarded by the pool's lock.
 */
final class AddressRing<K, C> {
    /** Counters of addresses that are no longer in the ring. */
    static final class Forgotten {
        long acquired;
        long reused;
        long created;
        long closed;
        long broken;
    }

    private final Map<HostPort, AddressPool<K, C>> addresses = new LinkedHashMap<>();
    final Forgotten forgotten = new Forgotten();

    Collection<AddressPool<K, C>> all() {
        return addresses.values();
    }

    /** Makes {@code wanted} the addresses; what is no longer wanted is kept with weight 0 until {@link #forget}. */
    void set(List<WeightedAddress> wanted) {
        Set<HostPort> named = new HashSet<>();
        for (WeightedAddress one : wanted) {
            if (one.weight() > 0) {
                named.add(one.address());
                AddressPool<K, C> pool = addresses.computeIfAbsent(one.address(), AddressPool::new);
                pool.weight = one.weight();
            }
        }
        forgetDebts();
        for (AddressPool<K, C> pool : addresses.values()) {
            if (!named.contains(pool.address)) {
                pool.weight = 0;
            }
        }
    }

    /** Debts and credits belong to the addresses and weights that there were. */
    void forgetDebts() {
        for (AddressPool<K, C> pool : addresses.values()) {
            pool.standing = 0;
        }
    }

    /** How many addresses may be chosen. */
    int usable() {
        int sum = 0;
        for (AddressPool<K, C> pool : addresses.values()) {
            sum += pool.isGone() ? 0 : 1;
        }
        return sum;
    }

    /** Removes an address that is gone and has no connections left; its counters stay in the sums. */
    void forget(AddressPool<K, C> pool) {
        if (pool.isGone() && pool.entries.isEmpty() && addresses.remove(pool.address, pool)) {
            forgotten.acquired += pool.pastUses;
            forgotten.reused += pool.pastReuses;
            forgotten.created += pool.created;
            forgotten.closed += pool.closed;
            forgotten.broken += pool.brokenTotal;
        }
    }

    /** The next address among those that can serve; null if none can. */
    @Nullable
    AddressPool<K, C> next(Predicate<AddressPool<K, C>> canServe) {
        AddressPool<K, C> best = null;
        long sum = 0;
        for (AddressPool<K, C> pool : addresses.values()) {
            if (!pool.isGone() && canServe.test(pool)) {
                sum += pool.weight;
                pool.standing += pool.weight;
                if (best == null || pool.standing > best.standing) {
                    best = pool;
                }
            }
        }
        if (best != null) {
            best.standing -= sum;
        }
        return best;
    }
}

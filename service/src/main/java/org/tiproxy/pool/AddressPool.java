package org.tiproxy.pool;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/** The connections to one address, its counters and its back-off. Guarded by the pool's lock. */
final class AddressPool<K, C> {
    final HostPort address;
    /** 0 once the address is gone; it is forgotten when its last connection is. */
    int weight;
    /** The smooth weighted round robin's running total. */
    long standing;

    final Set<Entry<K, C>> entries = new LinkedHashSet<>();
    /** The last one is lent first. */
    private final List<Entry<K, C>> idle = new ArrayList<>();

    /** A connection was found dead, the idle ones have to be probed. */
    boolean suspicious;

    /** An attempt to connect is due after failures, while other addresses serve; null if none is. */
    @Nullable
    K trialKey;

    int connecting;
    int probing;
    int closing;

    /** Failed connects since the last one that succeeded. */
    int failures;
    /** While there are failures: when to try again. */
    long retryAt;

    long created;
    long closed;
    long brokenTotal;
    long connectFailures;
    /** Leases of connections that are gone. */
    long pastUses;
    /** Those of them that were not the first of their connection. */
    long pastReuses;

    @Nullable
    String lastFailure;

    @Nullable
    Instant lastFailureTime;

    AddressPool(HostPort address) {
        this.address = address;
    }

    boolean isGone() {
        return weight == 0;
    }

    /** Connections that are or may become usable. */
    int live() {
        return entries.size() - closing;
    }

    int active(int parked) {
        return entries.size() - idle.size() - parked - connecting - probing - closing;
    }

    /**
     * Whether a connection may be opened. After a failure one attempt at a time is made until one succeeds: a backend that
     * is just coming back is not to be met by all at once.
     */
    boolean canConnect(int max, long now) {
        return !isGone() && entries.size() < max && (failures == 0 || (connecting == 0 && now - retryAt >= 0));
    }

    boolean isBackingOff(long now) {
        return failures > 0 && (connecting > 0 || now - retryAt < 0);
    }

    // ---- idle connections ----

    List<Entry<K, C>> idle() {
        return idle;
    }

    void addIdle(Entry<K, C> entry) {
        idle.add(entry);
    }

    boolean removeIdle(Entry<K, C> entry) {
        int index = idle.lastIndexOf(entry);
        if (index < 0) {
            return false;
        }
        idle.remove(index);
        return true;
    }

    boolean hasIdle(K key) {
        return indexOf(key) >= 0;
    }

    /** Takes the connection with {@code key} that was used last. */
    @Nullable
    Entry<K, C> takeIdle(K key) {
        int index = indexOf(key);
        return index < 0 ? null : idle.remove(index);
    }

    /** The connection that has been idle for the longest. */
    @Nullable
    Entry<K, C> oldestIdle() {
        Entry<K, C> oldest = null;
        for (Entry<K, C> entry : idle) {
            if (oldest == null || entry.idleSince - oldest.idleSince < 0) {
                oldest = entry;
            }
        }
        return oldest;
    }

    private int indexOf(K key) {
        for (int i = idle.size() - 1; i >= 0; i--) {
            if (idle.get(i).key().equals(key)) {
                return i;
            }
        }
        return -1;
    }
}

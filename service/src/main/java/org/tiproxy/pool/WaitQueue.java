package org.tiproxy.pool;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The callers that wait, in the order of their arrival, and per key how many connections are on their way to them.
 * Guarded by the pool's lock.
 */
final class WaitQueue<K, C> {
    /** The callers with one key. */
    private static final class Line<K, C> {
        final TreeMap<Long, PendingAcquire<K, C>> waiting = new TreeMap<>();
        /** Connections with this key that are being opened or probed: each will serve one caller. */
        int supply;
        /** Callers counted so far in the search numbered {@code search}. */
        int seen;

        long search;
    }

    private final TreeMap<Long, PendingAcquire<K, C>> all = new TreeMap<>();
    private final TreeSet<PendingAcquire<K, C>> byDeadline = new TreeSet<>((a, b) -> a.deadline == b.deadline
            ? Long.compare(a.sequence, b.sequence)
            // By subtraction: the clock may pass the largest number.
            : Long.signum(a.deadline - b.deadline));
    private final Map<K, Line<K, C>> lines = new HashMap<>();
    private long nextSequence = 1;
    /** How many of the waiting were served before, in vain. */
    private volatile int returned;

    private long search;

    boolean isEmpty() {
        return all.isEmpty();
    }

    int size() {
        return all.size();
    }

    /** Adds a caller at the end, or where it was if it has been in the queue before. */
    void add(PendingAcquire<K, C> caller) {
        if (caller.sequence == 0) {
            caller.sequence = nextSequence++;
        } else {
            caller.returned = true;
            setReturned(returned + 1);
        }
        all.put(caller.sequence, caller);
        byDeadline.add(caller);
        line(caller.key).waiting.put(caller.sequence, caller);
    }

    void remove(PendingAcquire<K, C> caller) {
        if (all.remove(caller.sequence) != null) {
            byDeadline.remove(caller);
            if (caller.returned) {
                caller.returned = false;
                setReturned(returned - 1);
            }
            Line<K, C> line = line(caller.key);
            line.waiting.remove(caller.sequence);
            forgetIfIdle(caller.key, line);
        }
    }

    private void setReturned(int count) {
        returned = count;
    }

    /** May be asked without the lock. */
    boolean anyReturned() {
        return returned > 0;
    }

    /** A connection for {@code key} is on its way (+1), or has arrived or failed (-1). */
    void supply(K key, int change) {
        Line<K, C> line = line(key);
        line.supply += change;
        forgetIfIdle(key, line);
    }

    /** The caller with {@code key} that came first. */
    @Nullable
    PendingAcquire<K, C> first(K key) {
        Line<K, C> line = lines.get(key);
        if (line == null || line.waiting.isEmpty()) {
            return null;
        }
        return line.waiting.firstEntry().getValue();
    }

    @Nullable
    PendingAcquire<K, C> first() {
        return all.isEmpty() ? null : all.firstEntry().getValue();
    }

    /** The caller that times out first. */
    @Nullable
    PendingAcquire<K, C> firstToExpire() {
        return byDeadline.isEmpty() ? null : byDeadline.first();
    }

    /** The first caller for which nothing is on its way, not counting that many callers of its key. */
    @Nullable
    PendingAcquire<K, C> firstLacking() {
        search++;
        for (PendingAcquire<K, C> caller : all.values()) {
            Line<K, C> line = line(caller.key);
            if (line.search != search) {
                line.search = search;
                line.seen = 0;
            }
            if (++line.seen > line.supply) {
                return caller;
            }
        }
        return null;
    }

    /** For how many callers nothing is on its way. */
    int lacking() {
        int sum = 0;
        for (Line<K, C> line : lines.values()) {
            sum += Math.max(0, line.waiting.size() - line.supply);
        }
        return sum;
    }

    private Line<K, C> line(K key) {
        return lines.computeIfAbsent(key, any -> new Line<>());
    }

    private void forgetIfIdle(K key, Line<K, C> line) {
        if (line.waiting.isEmpty() && line.supply == 0) {
            lines.remove(key);
        }
    }
}

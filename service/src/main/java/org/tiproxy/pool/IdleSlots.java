package org.tiproxy.pool;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A few idle connections per group of threads, parked where acquire and release find them without a lock. Whoever gets an
 * entry out of a slot owns it. A thread that serves several callers by turns, as an event loop does, gets those back that
 * it has used before.
 */
final class IdleSlots<K, C> {
    /** References per cache line (64 bytes), so that two processors do not fight over one. */
    private static final int STRIDE = 16;

    /** How many connections a group can park: as many callers as an event loop may well have at the same time. */
    static final int PLACES = 4;

    private final AtomicReferenceArray<@Nullable Entry<K, C>> slots;
    private final int count;

    /** @param groups a power of two */
    IdleSlots(int groups) {
        count = groups;
        slots = new AtomicReferenceArray<>((groups + 1) * STRIDE);
    }

    /** Four slots per processor, at least 8 and at most 64. */
    static <K, C> IdleSlots<K, C> forThisMachine() {
        int wanted = Math.max(8, Math.min(64, 4 * Runtime.getRuntime().availableProcessors()));
        return new IdleSlots<>(Integer.highestOneBit(wanted));
    }

    /** Takes the calling thread's entry if it has {@code key}. */
    @Nullable
    Entry<K, C> take(K key) {
        return take(own(), key);
    }

    /** Parks an entry; false if the calling thread's slots are taken. */
    boolean park(Entry<K, C> entry) {
        int own = own();
        for (int slot = own; slot < own + PLACES; slot++) {
            if (slots.getPlain(slot) == null && slots.compareAndSet(slot, null, entry)) {
                return true;
            }
        }
        return false;
    }

    /** Takes back what the calling thread has parked; false if somebody else has taken it. */
    boolean unpark(Entry<K, C> entry) {
        int own = own();
        for (int slot = own; slot < own + PLACES; slot++) {
            if (slots.compareAndSet(slot, entry, null)) {
                return true;
            }
        }
        return false;
    }

    /** Takes an entry with {@code key} out of any slot. */
    @Nullable
    Entry<K, C> steal(K key) {
        for (int i = 1; i <= count; i++) {
            Entry<K, C> entry = take(i * STRIDE, key);
            if (entry != null) {
                return entry;
            }
        }
        return null;
    }

    /** Empties all slots. */
    void drainTo(Consumer<Entry<K, C>> taker) {
        for (int i = 1; i <= count; i++) {
            for (int slot = i * STRIDE; slot < i * STRIDE + PLACES; slot++) {
                Entry<K, C> entry = slots.get(slot);
                if (entry != null && slots.compareAndSet(slot, entry, null)) {
                    taker.accept(entry);
                }
            }
        }
    }

    /** How many entries of one address are parked at the moment. */
    int count(AddressPool<K, C> home) {
        int sum = 0;
        for (int i = 1; i <= count; i++) {
            for (int slot = i * STRIDE; slot < i * STRIDE + PLACES; slot++) {
                Entry<K, C> entry = slots.get(slot);
                if (entry != null && entry.home == home) {
                    sum++;
                }
            }
        }
        return sum;
    }

    private @Nullable Entry<K, C> take(int first, K key) {
        for (int slot = first; slot < first + PLACES; slot++) {
            Entry<K, C> entry = slots.get(slot);
            if (entry != null && entry.key().equals(key) && slots.compareAndSet(slot, entry, null)) {
                return entry;
            }
        }
        return null;
    }

    /** The first cache line is left free: the array's length stands there. */
    private int own() {
        long id = Thread.currentThread().getId();
        int mixed = (int) ((id * 0x9E3779B97F4A7C15L) >>> 40);
        return ((mixed & (count - 1)) + 1) * STRIDE;
    }
}

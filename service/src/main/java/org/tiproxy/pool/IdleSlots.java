package org.tiproxy.pool;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One idle connection per group of threads, parked where acquire and release find it without a lock. Whoever gets an entry
 * out of a slot owns it.
 */
final class IdleSlots<K, C> {
    /** References per cache line (64 bytes), so that two processors do not fight over one. */
    private static final int STRIDE = 16;

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

    /** Parks an entry; false if the calling thread's slot is taken. */
    boolean park(Entry<K, C> entry) {
        int slot = own();
        return slots.getPlain(slot) == null && slots.compareAndSet(slot, null, entry);
    }

    /** Takes back what the calling thread has parked; false if somebody else has taken it. */
    boolean unpark(Entry<K, C> entry) {
        return slots.compareAndSet(own(), entry, null);
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
            Entry<K, C> entry = slots.get(i * STRIDE);
            if (entry != null && slots.compareAndSet(i * STRIDE, entry, null)) {
                taker.accept(entry);
            }
        }
    }

    /** How many entries of one address are parked at the moment. */
    int count(AddressPool<K, C> home) {
        int sum = 0;
        for (int i = 1; i <= count; i++) {
            Entry<K, C> entry = slots.get(i * STRIDE);
            if (entry != null && entry.home == home) {
                sum++;
            }
        }
        return sum;
    }

    private @Nullable Entry<K, C> take(int slot, K key) {
        Entry<K, C> entry = slots.get(slot);
        if (entry != null && entry.key.equals(key) && slots.compareAndSet(slot, entry, null)) {
            return entry;
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

package org.tiproxy.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.tiproxy.common.HostPort;

/** Addresses that change only when somebody calls {@link #set}. Thread-safe. */
public final class StaticAddresses implements AddressSource {
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Consumer<List<WeightedAddress>>> listeners = new ArrayList<>();
    private List<WeightedAddress> addresses;

    /** The given addresses, each at most once. */
    public StaticAddresses(List<WeightedAddress> addresses) {
        this.addresses = List.copyOf(addresses);
    }

    /** One address or several with equal weights. */
    public static StaticAddresses of(HostPort... addresses) {
        return new StaticAddresses(
                List.of(addresses).stream().map(WeightedAddress::of).toList());
    }

    /**
     * Replaces the addresses. Idle connections to an address that is gone are closed, those in use when they come back.
     * Listeners must not call this method.
     */
    public void set(List<WeightedAddress> newAddresses) {
        lock.lock();
        try {
            addresses = List.copyOf(newAddresses);
            // Told in order, which is why the lock is held; a pool only makes a note of it.
            for (Consumer<List<WeightedAddress>> listener : listeners) {
                listener.accept(addresses);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Subscription subscribe(Consumer<List<WeightedAddress>> listener) {
        lock.lock();
        try {
            listeners.add(listener);
            listener.accept(addresses);
        } finally {
            lock.unlock();
        }
        return () -> {
            lock.lock();
            try {
                listeners.remove(listener);
            } finally {
                lock.unlock();
            }
        };
    }
}

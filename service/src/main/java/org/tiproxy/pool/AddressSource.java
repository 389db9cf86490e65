package org.tiproxy.pool;

import java.util.List;
import java.util.function.Consumer;

/** Where a pool's connections may go; the answer may change at any time. */
@FunctionalInterface
public interface AddressSource {
    /**
     * Tells {@code listener} the addresses: once before this returns, and the whole list again after each change, one
     * call at a time, from any thread.
     *
     * @return ends the subscription
     */
    Subscription subscribe(Consumer<List<WeightedAddress>> listener);

    /** A listener's registration. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {
        /** No call is begun after this; does not throw. */
        @Override
        void close();
    }
}

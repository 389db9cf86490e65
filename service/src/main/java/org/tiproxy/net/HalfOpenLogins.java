package org.tiproxy.net;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts the connections that are not logged in yet. Thread-safe. */
final class HalfOpenLogins {
    private final int limit;
    private final AtomicInteger count = new AtomicInteger();

    /** At most {@code limit} new ones at a time, zero for any number. */
    HalfOpenLogins(int limit) {
        this.limit = limit;
    }

    /** Takes a place for a new connection; false if none is left. */
    boolean tryEnter() {
        int now = count.incrementAndGet();
        if (limit > 0 && now > limit) {
            count.decrementAndGet();
            return false;
        }
        return true;
    }

    /** Takes a place for one that was accepted earlier, though it be one too many. */
    void enter() {
        count.incrementAndGet();
    }

    /** Gives a place back. */
    void leave() {
        count.decrementAndGet();
    }

    int limit() {
        return limit;
    }

    int count() {
        return count.get();
    }
}

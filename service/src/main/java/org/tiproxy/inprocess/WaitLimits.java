package org.tiproxy.inprocess;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.tiproxy.pool.Scheduler;

/**
 * Ends waits for a backend that last too long, by closing the connection. The sockets themselves are given no time-out: one
 * that has ever waited with a time-out does not block any more (NioSocketImpl of the JDK), and tries, polls and reads
 * instead of reading, which costs two more system calls for each answer from then on.
 *
 * <p>Thread-safe. Looks every {@value #PERIOD_MILLIS} ms, on the scheduler's thread, and only while somebody waits.
 */
final class WaitLimits {
    private static final long PERIOD_MILLIS = 50;

    private final Scheduler scheduler;
    private final Map<BackendConnection, Long> waiting = new ConcurrentHashMap<>();
    private final AtomicBoolean looking = new AtomicBoolean();

    WaitLimits(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** The connection's thread waits now; {@link BackendConnection#timeOut} is called when the deadline is over. */
    void begin(BackendConnection connection, long deadline) {
        waiting.put(connection, deadline);
        if (!looking.get() && looking.compareAndSet(false, true)) {
            lookLater();
        }
    }

    /** Ends {@link #begin}; false if the deadline was over before. */
    boolean end(BackendConnection connection) {
        return waiting.remove(connection) != null;
    }

    private void lookLater() {
        scheduler.schedule(this::look, TimeUnit.MILLISECONDS.toNanos(PERIOD_MILLIS));
    }

    private void look() {
        try {
            endOverdue();
        } finally {
            lookOn();
        }
    }

    private void endOverdue() {
        long now = System.nanoTime();
        waiting.forEach((connection, deadline) -> {
            if (now - deadline >= 0 && waiting.remove(connection, deadline)) {
                connection.timeOut();
            }
        });
    }

    private void lookOn() {
        if (!waiting.isEmpty()) {
            lookLater();
            return;
        }
        looking.set(false);
        // Somebody may have come in the same moment, and have seen that we were looking.
        if (!waiting.isEmpty() && looking.compareAndSet(false, true)) {
            lookLater();
        }
    }
}

package org.tiproxy.net;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Ticker;

/** Ends a session on which nothing has happened for a while. Everything happens on the session's event loop. */
final class IdleTimer {
    private final EventLoop loop;
    private final Ticker ticker;
    private final long limit;
    private final LongSupplier unsent;
    private final BooleanSupplier busy;
    private final Runnable expired;
    private long lastActivity;
    private long lastUnsent;
    private @Nullable Future<?> check;

    /**
     * A timer that does not run yet.
     *
     * @param unsent the bytes that wait to be written: as long as they become fewer, somebody reads
     * @param busy whether the session is not idle, though nothing be sent
     * @param expired called once, at the earliest {@code limit} after the last activity
     */
    IdleTimer(
            EventLoop loop,
            Ticker ticker,
            Duration limit,
            LongSupplier unsent,
            BooleanSupplier busy,
            Runnable expired) {
        this.loop = loop;
        this.ticker = ticker;
        this.limit = limit.toNanos();
        this.unsent = unsent;
        this.busy = busy;
        this.expired = expired;
    }

    void start() {
        touch();
        checkAfter(limit);
    }

    void stop() {
        Future<?> pending = check;
        if (pending != null) {
            pending.cancel(false);
        }
    }

    /** Something was sent. */
    void touch() {
        lastActivity = ticker.nanoTime();
    }

    private void checkAfter(long nanos) {
        check = loop.schedule(this::check, nanos, TimeUnit.NANOSECONDS);
    }

    private void check() {
        long left = unsent.getAsLong();
        if (left != lastUnsent || busy.getAsBoolean()) {
            lastUnsent = left;
            touch();
        }
        long idle = ticker.nanoTime() - lastActivity;
        if (idle >= limit) {
            expired.run();
        } else {
            checkAfter(limit - idle);
        }
    }
}

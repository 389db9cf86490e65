package org.tiproxy.pool;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A pool at one moment. Counters are since the pool was made.
 *
 * @param active lent to callers
 * @param idle free to be lent
 * @param pending callers that wait
 * @param total all connections, also those being opened, probed or closed
 * @param acquiredTotal leases given out
 * @param createdTotal connections opened
 * @param closedTotal connections closed, for whatever reason
 * @param reusedTotal leases of a connection that had been lent before
 * @param timeoutsTotal acquires that failed because their time was up
 * @param brokenTotal connections closed because something was wrong with them
 * @param leakedTotal leases held longer than the leak detection threshold
 * @param acquireWait how long acquires took that got a lease; 0 when nothing had to be waited for
 * @param connectTime how long successful connects took
 * @param lastFailure the last failed connect or broken connection
 * @param lastFailureTime when that was
 * @param suspended whether acquires wait for {@link PoolControl#resume}
 * @param closed whether the pool is closed
 * @param addresses one row per address
 */
public record PoolStatistics(
        int active,
        int idle,
        int pending,
        int total,
        long acquiredTotal,
        long createdTotal,
        long closedTotal,
        long reusedTotal,
        long timeoutsTotal,
        long brokenTotal,
        long leakedTotal,
        LatencyStatistics acquireWait,
        LatencyStatistics connectTime,
        @Nullable String lastFailure,
        @Nullable Instant lastFailureTime,
        boolean suspended,
        boolean closed,
        List<AddressStatistics> addresses) {}

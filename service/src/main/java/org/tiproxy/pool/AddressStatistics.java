package org.tiproxy.pool;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/**
 * The connections to one address at one moment. {@code total} is the sum of active, idle, connecting, probing and closing.
 *
 * @param address where they go
 * @param weight its share of the acquires; 0 if the address is gone and its last connections are still in use
 * @param active lent to callers
 * @param idle free to be lent
 * @param connecting being opened
 * @param probing being asked whether they still work
 * @param closing being closed
 * @param total all of them; at most maxConnectionsPerAddress, unless that was lowered a moment ago
 * @param acquiredTotal leases given out
 * @param createdTotal connections opened
 * @param closedTotal connections closed
 * @param brokenTotal connections closed because something was wrong with them
 * @param connectFailuresTotal connects that failed
 * @param consecutiveFailures connects that failed since the last one that succeeded; the address backs off while positive
 * @param lastFailure the last failed connect or broken connection
 * @param lastFailureTime when that was
 */
public record AddressStatistics(
        HostPort address,
        int weight,
        int active,
        int idle,
        int connecting,
        int probing,
        int closing,
        int total,
        long acquiredTotal,
        long createdTotal,
        long closedTotal,
        long brokenTotal,
        long connectFailuresTotal,
        int consecutiveFailures,
        @Nullable String lastFailure,
        @Nullable Instant lastFailureTime) {}

package org.tiproxy.pool.multiplex;

import org.jspecify.annotations.Nullable;

/**
 * A reading of a {@link MultiplexedPool}'s numbers, all of one moment. Totals count from the pool's creation.
 *
 * @param connections open now
 * @param connecting being opened now
 * @param inFlight requests that were sent and whose answers have not come
 * @param waiting requests that wait for a connection
 * @param requestsTotal requests that were made; one that waited counts once
 * @param createdTotal connections that were opened
 * @param connectFailuresTotal connects that failed
 * @param lostTotal connections that ended while the pool still wanted them
 * @param lastFailure the last failed connect, in words; null if there was none
 */
public record MultiplexedStatistics(
        int connections,
        int connecting,
        int inFlight,
        int waiting,
        long requestsTotal,
        long createdTotal,
        long connectFailuresTotal,
        long lostTotal,
        @Nullable String lastFailure) {}

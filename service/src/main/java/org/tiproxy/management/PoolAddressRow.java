package org.tiproxy.management;

import org.tiproxy.pool.AddressStatistics;

/**
 * The connections to one backend, as {@link PoolMXBean#getAddresses} shows them.
 *
 * @param address {@code host:port}
 * @param active that clients have
 * @param idle that wait for a client
 * @param connecting being opened
 * @param probing being asked whether they still work
 * @param closing being closed
 * @param total all of them
 * @param acquiredTotal how often one was lent
 * @param createdTotal opened
 * @param closedTotal closed
 * @param brokenTotal closed because something was wrong
 * @param connectFailuresTotal connects that failed
 * @param lastFailure the last failed connect or broken connection; empty if there was none
 */
public record PoolAddressRow(
        String address,
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
        String lastFailure) {
    static PoolAddressRow of(AddressStatistics row) {
        String failure = row.lastFailure();
        return new PoolAddressRow(
                row.address().toString(),
                row.active(),
                row.idle(),
                row.connecting(),
                row.probing(),
                row.closing(),
                row.total(),
                row.acquiredTotal(),
                row.createdTotal(),
                row.closedTotal(),
                row.brokenTotal(),
                row.connectFailuresTotal(),
                failure == null ? "" : failure);
    }
}

package org.tiproxy.pool;

import org.tiproxy.common.HostPort;

/**
 * An address and its share of the connections.
 *
 * @param address where to connect to
 * @param weight 1 to 65,535: of any {@code sum of weights} acquires in a row, this address serves that many while all
 *     addresses can. 0 is the same as leaving the address out
 */
public record WeightedAddress(HostPort address, int weight) {
    /** Checks the range. */
    public WeightedAddress {
        if (weight < 0 || weight > 65535) {
            throw new IllegalArgumentException("weight " + weight + " of " + address + " is not between 0 and 65535");
        }
    }

    /** An address with weight 1. */
    public static WeightedAddress of(HostPort address) {
        return new WeightedAddress(address, 1);
    }
}

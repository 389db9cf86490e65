package org.tiproxy.pool;

/**
 * How many connections a pool has at one moment.
 *
 * @param idle free to be lent
 * @param total all connections, also those being opened, probed or closed
 */
public record Occupancy(int idle, int total) {}

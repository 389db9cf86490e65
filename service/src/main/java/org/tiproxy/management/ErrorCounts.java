package org.tiproxy.management;

/**
 * Sessions that ended with an error, by who is to blame, as {@link ProxyMXBean#getErrorsBySource} shows them.
 *
 * @param client it went away, could not log in, or broke the protocol
 * @param proxy a limit or a defect
 * @param backend it could not be reached, closed the connection, or broke the protocol
 */
public record ErrorCounts(long client, long proxy, long backend) {}

package org.tiproxy.management;

/**
 * One open connection, as {@link ProxyMXBean#listConnections} shows it.
 *
 * @param id for {@link ProxyMXBean#closeConnection}
 * @param client the client's address, {@code host:port}
 * @param backend the backend's address; empty while the client waits for one
 * @param since when it was accepted, ISO-8601 in UTC
 * @param bytesReceived bytes from the client
 * @param bytesSent bytes from the backend, to be passed on to the client
 */
public record ConnectionInfo(
        long id, String client, String backend, String since, long bytesReceived, long bytesSent) {}

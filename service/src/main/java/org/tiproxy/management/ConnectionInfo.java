package org.tiproxy.management;

import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;

/**
 * One open connection, as {@link ProxyMXBean#listConnections} shows it. What follows {@code bytesSent} is empty, 0 or
 * false until somebody is logged in, and always with protocol tcp.
 *
 * @param id for {@link ProxyMXBean#closeConnection}, {@link ProxyMXBean#killSession} and {@link ProxyMXBean#killQuery}
 * @param client the client's address, {@code host:port}
 * @param backend the backend's address; empty while the client waits for one
 * @param since when it was accepted, ISO-8601 in UTC
 * @param bytesReceived bytes from the client
 * @param bytesSent bytes from the backend, to be passed on to the client
 * @param user who is logged in
 * @param schema the default schema; empty if there is none
 * @param command what the backend executes, for example {@code COM_QUERY}; empty if the session is idle
 * @param commandMillis for how long it has been executing that, milliseconds
 * @param transaction {@code NONE}, {@code ACTIVE}, or {@code UNKNOWN} after an error
 * @param tls whether the client's connection is encrypted
 * @param backendConnectionId the backend's own id of the connection, as in SHOW PROCESSLIST
 * @param connectionId the connection id that the client knows, and that it may KILL
 */
public record ConnectionInfo(
        long id,
        String client,
        String backend,
        String since,
        long bytesReceived,
        long bytesSent,
        String user,
        String schema,
        String command,
        long commandMillis,
        String transaction,
        boolean tls,
        long backendConnectionId,
        long connectionId) {
    static ConnectionInfo of(ProxySession session) {
        HostPort backend = session.backend();
        return new ConnectionInfo(
                session.id(),
                session.client().toString(),
                backend == null ? "" : backend.toString(),
                session.since().toString(),
                session.bytesReceived(),
                session.bytesSent(),
                session.user(),
                session.schema(),
                session.command(),
                session.commandMillis(),
                session.transaction(),
                session.tls(),
                session.backendConnectionId(),
                session.connectionId());
    }
}

package org.tiproxy.management;

import org.tiproxy.engine.SharedConnections.SharedConnection;

/**
 * One backend connection, as {@link PoolMXBean#listConnections} shows it.
 *
 * @param id unique within the pool
 * @param address the backend's, {@code host:port}
 * @param key what clients it can be lent to have in common
 * @param user who is, or was last, logged in; empty if nobody was
 * @param state {@code CONNECTING}, {@code IDLE}, {@code PROBING}, {@code IN_USE} or {@code CLOSING}
 * @param ageMillis since it was opened
 * @param inStateMillis how long it has been lent or idle; 0 in other states
 * @param uses how often it was lent
 * @param backendConnectionId the backend's own id, as in SHOW PROCESSLIST; 0 while it is not known
 */
public record PoolConnectionRow(
        long id,
        String address,
        String key,
        String user,
        String state,
        long ageMillis,
        long inStateMillis,
        long uses,
        long backendConnectionId) {
    static PoolConnectionRow of(SharedConnection connection) {
        var info = connection.info();
        return new PoolConnectionRow(
                info.id(),
                info.address().toString(),
                info.key().toString(),
                connection.user(),
                info.state().name(),
                info.age().toMillis(),
                info.inState().toMillis(),
                info.uses(),
                connection.backendConnectionId());
    }
}

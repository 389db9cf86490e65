package org.tiproxy.engine;

import java.util.List;

/** {@link SharedConnections} that know their users. */
public interface SharedMySqlConnections extends SharedConnections {
    /** A connection, as {@link org.tiproxy.pool.ConnectionInfo#connection} has it. On any thread. */
    interface MySqlConnection {
        /** Who is, or was last, logged in; empty if nobody was. */
        String user();

        /** The backend's own id; 0 while it is not known. */
        long threadId();
    }

    @Override
    default List<SharedConnection> listConnections() {
        return control().listConnections().stream()
                .map(info -> info.connection() instanceof MySqlConnection connection
                        ? new SharedConnection(info, connection.user(), connection.threadId())
                        : new SharedConnection(info, "", 0))
                .toList();
    }

    @Override
    default int evictUser(String user) {
        return control()
                .evict(info -> info.connection() instanceof MySqlConnection connection
                        && connection.user().equals(user));
    }
}

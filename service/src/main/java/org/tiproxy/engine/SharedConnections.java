package org.tiproxy.engine;

import java.util.List;
import org.tiproxy.pool.ConnectionInfo;
import org.tiproxy.pool.PoolControl;

/** The backend connections that sessions share, as an operator sees them. Thread-safe; nothing here blocks. */
public interface SharedConnections {
    /** What is shared: {@code session} for MySQL connections between sessions, {@code tcp} for any other. */
    String mode();

    /** Numbers and switches. */
    PoolControl control();

    /** Every connection. */
    List<SharedConnection> listConnections();

    /**
     * Closes a user's connections: the idle ones at once, the others when their clients leave.
     *
     * @return how many
     * @throws IllegalStateException if nobody can know users here
     */
    int evictUser(String user);

    /**
     * One of them.
     *
     * @param info what the pool knows
     * @param user who is, or was last, logged in; empty if nobody was
     * @param backendConnectionId the backend's own id; 0 while it is not known
     */
    record SharedConnection(ConnectionInfo info, String user, long backendConnectionId) {}
}

package org.tiproxy.pool;

/** Told by a {@link KeyedConnectionFactory} what happened to an idle connection. */
@FunctionalInterface
public interface IdleListener {
    /**
     * The peer closed the connection, or sent bytes that nobody asked for. May be called from any thread and more than
     * once; the pool closes the connection.
     *
     * @param reason what happened, as a phrase for logs: {@code closed by the peer}
     */
    void lost(String reason);
}

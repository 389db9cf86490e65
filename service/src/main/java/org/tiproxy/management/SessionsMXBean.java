package org.tiproxy.management;

import java.util.List;

/**
 * {@code tiproxy:type=Proxy,name=default} in an application with the javaagent: the conversations of its drivers. The
 * service's own bean, {@link ProxyMXBean}, has more.
 */
public interface SessionsMXBean {
    /** Connections open now, waiting ones included. */
    int getActiveConnections();

    /** Connections accepted, rejected ones included. */
    long getConnectionsTotal();

    /** Connections that ended because the backend could not be started or reached. */
    long getFailedTotal();

    /** Bytes from all clients. */
    long getBytesReceivedTotal();

    /** Bytes from the backend, to be passed on to clients. */
    long getBytesSentTotal();

    /** Commands that clients have sent. */
    long getCommandsTotal();

    /** Sessions in which a transaction is open, or may be after an error. */
    int getSessionsInTransaction();

    /** Closes one connection on both sides; false if there is none with this id. */
    boolean closeConnection(long id);

    /**
     * Ends a session on both sides. The client is told; the statement that runs is killed at the backend too, if another
     * session of the same user is idle. False if there is none with this id. With protocol tcp the same as {@link
     * #closeConnection}.
     */
    boolean killSession(long id);

    /**
     * Interrupts the statement that a session runs, by KILL QUERY through another session of the same user, which must be
     * idle and outside of a transaction. The session goes on. Fails with the reason if that is not possible.
     */
    String killQuery(long id);

    /** The open connections, oldest first. */
    List<ConnectionInfo> listConnections();
}

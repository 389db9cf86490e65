package org.tiproxy.management;

import java.util.List;

/**
 * {@code tiproxy:type=Proxy,name=default}: the listener and its connections. Attributes are read without blocking;
 * counters run from the start of the process.
 */
public interface ProxyMXBean {
    /** STARTING, RUNNING, PAUSED, DRAINING or STOPPED. */
    String getState();

    /** Where clients connect, {@code host:port}. */
    String getBindAddress();

    /** The backend, {@code host:port}. */
    String getBackendAddress();

    /** {@code tcp}. */
    String getProtocol();

    /** How sockets are driven: {@code EPOLL} or {@code NIO}. */
    String getTransport();

    /** Connections open now, waiting ones included. */
    int getActiveConnections();

    /** Connections accepted, rejected ones included. */
    long getConnectionsTotal();

    /** Connections closed at once because MaxConnections were open. */
    long getRejectedTotal();

    /** Connections that ended because the backend could not be started or reached. */
    long getFailedTotal();

    /** Bytes from all clients. */
    long getBytesReceivedTotal();

    /** Bytes from the backend, to be passed on to clients. */
    long getBytesSentTotal();

    /** The most connections at a time; 0 for any number. */
    int getMaxConnections();

    /** Sets {@link #getMaxConnections} for connections to come; open ones stay. Must not be negative. */
    void setMaxConnections(int maxConnections);

    /** Stops accepting: new clients wait in the operating system's queue, open connections go on. */
    String pause();

    /** Accepts again after a pause or a drain. */
    String resume();

    /**
     * Stops listening, waits until the open connections have finished and closes those that are left after {@code
     * seconds} (0 to 86,400). Returns when none is left, or when another operation ended the drain. {@link #resume}
     * listens again.
     */
    String drain(int seconds);

    /** Closes one connection on both sides; false if there is none with this id. */
    boolean closeConnection(long id);

    /** The open connections, oldest first. */
    List<ConnectionInfo> listConnections();
}

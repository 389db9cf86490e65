package org.tiproxy.management;

import java.util.Map;

/**
 * {@code tiproxy:type=Proxy,name=default}: the listener and its connections. Attributes are read without blocking;
 * counters run from the start of the process. With protocol tcp, whatever takes knowledge of the protocol is 0 or empty.
 */
public interface ProxyMXBean extends SessionsMXBean {
    /** STARTING, RUNNING, PAUSED, DRAINING or STOPPED. */
    String getState();

    /** Where clients connect, {@code host:port}. */
    String getBindAddress();

    /** The backend, {@code host:port}. */
    String getBackendAddress();

    /** {@code tcp} or {@code mysql}. */
    String getProtocol();

    /** How sockets are driven: {@code EPOLL} or {@code NIO}. */
    String getTransport();

    /** Connections closed at once because MaxConnections were open. */
    long getRejectedTotal();

    /** Connections whose client is not logged in yet, without those that wait for the backend; 0 with {@code tcp}. */
    int getHalfOpenLogins();

    /** Connections from trusted addresses that did not begin with a PROXY header, or with a broken one. */
    long getBadProxyHeadersTotal();

    /** Sessions whose client is logged in over TLS. */
    int getTlsSessions();

    /** Logins, and changes of the user, that the backend refused or that were not possible. */
    long getAuthFailuresTotal();

    /** Clients that did not get as far as authentication, by their own doing. */
    long getHandshakeFailuresTotal();

    /** {@link #getHandshakeFailuresTotal} by reason; reasons that have not occurred are left out. */
    Map<String, Long> getHandshakeFailuresByReason();

    /** Sessions that ended with an error, by who is to blame for it. */
    ErrorCounts getErrorsBySource();

    /** All sessions that have ended, by reason; reasons that have not occurred are left out. */
    Map<String, Long> getSessionsEndedByReason();

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
}

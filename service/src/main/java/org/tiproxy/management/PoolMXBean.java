package org.tiproxy.management;

import java.util.List;

/**
 * {@code tiproxy:type=Pool,name=default}: the backend connections that sessions share; only there if {@code pool.mode} is
 * not off. Nothing blocks. Totals count from the service's start; what is written holds until its end.
 */
public interface PoolMXBean {
    /** {@code session} or {@code tcp}. */
    String getMode();

    /** Connections that clients have. */
    int getActive();

    /** Connections that wait for a client. */
    int getIdle();

    /** Clients that wait for a connection. */
    int getPending();

    /** All connections, also those being opened, probed or closed. */
    int getTotal();

    /** The most connections to one backend. */
    int getMaxSize();

    /** Sets {@link #getMaxSize}: what is above it is closed, at once if idle, else when its client leaves. */
    void setMaxSize(int connections);

    /** How many idle connections to each backend are kept ready. */
    int getMinIdle();

    /** Sets {@link #getMinIdle}, at most {@link #getMaxSize}. */
    void setMinIdle(int connections);

    /** How long a client waits for a connection, in milliseconds. */
    long getAcquireTimeoutMillis();

    /** Sets {@link #getAcquireTimeoutMillis} for clients that begin to wait. */
    void setAcquireTimeoutMillis(long millis);

    /** How long a connection may be idle, in milliseconds; 0 for ever. */
    long getIdleTimeoutMillis();

    /** Sets {@link #getIdleTimeoutMillis}. */
    void setIdleTimeoutMillis(long millis);

    /** How old a connection may become, in milliseconds; 0 for ever. */
    long getMaxLifetimeMillis();

    /** Sets {@link #getMaxLifetimeMillis} for connections that are opened from now on. */
    void setMaxLifetimeMillis(long millis);

    /** How long a connection may be idle before it is probed, in milliseconds; 0 for never. */
    long getKeepAliveMillis();

    /** Sets {@link #getKeepAliveMillis}. */
    void setKeepAliveMillis(long millis);

    /** How recently a connection must have worked to be lent without a probe, in milliseconds; 0 to probe always. */
    long getValidationBypassMillis();

    /** Sets {@link #getValidationBypassMillis}. */
    void setValidationBypassMillis(long millis);

    /** How long a probe, a login and a cleaning may each take, in milliseconds. */
    long getValidationTimeoutMillis();

    /** Sets {@link #getValidationTimeoutMillis}, at least 1. */
    void setValidationTimeoutMillis(long millis);

    /** How long a client may have a connection before that is logged, in milliseconds; 0 for ever. */
    long getLeakDetectionThresholdMillis();

    /** Sets {@link #getLeakDetectionThresholdMillis}. */
    void setLeakDetectionThresholdMillis(long millis);

    /** Whether clients wait for {@link #resume}. */
    boolean isSuspended();

    /** How often a connection was lent. */
    long getAcquiredTotal();

    /** Connections that were opened. */
    long getCreatedTotal();

    /** Connections that were closed, for whatever reason. */
    long getClosedTotal();

    /** How often a connection was lent that had been lent before. */
    long getReusedTotal();

    /** Clients that got no connection in time. */
    long getTimeoutsTotal();

    /** Connections that were closed because something was wrong with them. */
    long getBrokenTotal();

    /** Connections that a client had for longer than the leak detection threshold. */
    long getLeakedTotal();

    /** How long half of the clients that got a connection have waited at most, in microseconds. */
    long getAcquireWaitP50Micros();

    /** The same of 99 in 100. */
    long getAcquireWaitP99Micros();

    /** The longest wait that led to a connection, in microseconds. */
    long getAcquireWaitMaxMicros();

    /** How long half of the connections took at most to be opened, up to the backend's greeting, in microseconds. */
    long getConnectTimeP50Micros();

    /** The same of 99 in 100. */
    long getConnectTimeP99Micros();

    /** The longest, in microseconds. */
    long getConnectTimeMaxMicros();

    /** The last failed connect or broken connection; empty if there was none. */
    String getLastFailure();

    /** When that was, ISO-8601 in UTC; empty if there was none. */
    String getLastFailureTime();

    /** One row per backend. */
    List<PoolAddressRow> getAddresses();

    /** Every connection. */
    List<PoolConnectionRow> listConnections();

    /** Closes the idle connections; returns how many. */
    int evictIdle();

    /** Replaces all connections, those in use when their clients leave; returns how many. */
    int softEvict();

    /** Closes a user's connections, those in use when their clients leave; returns how many. */
    int evictUser(String user);

    /** Makes clients wait for a connection, for as long as the acquire timeout allows. */
    String suspend();

    /** Ends {@link #suspend}. */
    String resume();
}

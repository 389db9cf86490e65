package org.tiproxy.management;

/** {@code tiproxy:type=Service}: the process. */
public interface ServiceMXBean {
    /** tiproxy's version. */
    String getVersion();

    /** When the service started, ISO-8601 in UTC. */
    String getStartTime();

    /** The configuration file; empty if there is none. */
    String getConfigFile();

    /**
     * Ends the process as SIGTERM does: no new connections, time for the open ones to finish, then the child is stopped.
     * Returns at once.
     */
    String shutdown();
}

package org.tiproxy.management;

import java.util.List;

/**
 * {@code tiproxy:type=Supervisor,name=default}: the on-demand child. Attributes are read without blocking; operations
 * return when they are done, with a sentence about the result, and give up waiting after start timeout plus grace period.
 * Every change of state is a JMX notification of type {@code tiproxy.supervisor.state}.
 */
public interface SupervisorMXBean {
    /** CLOSED, STARTING, OPENED or SHUTDOWN. */
    String getState();

    /** The child's process id; 0 while there is none. */
    long getPid();

    /** Connections that use the child now. */
    int getActiveConnections();

    /** Connections that wait for the child to be ready. */
    int getWaitingConnections();

    /** When a connection came or went or the state changed for the last time, ISO-8601 in UTC. */
    String getLastChangeTime();

    /** Starts that were tried, successful or not. */
    long getStartsTotal();

    /** Starts that failed: nothing could be run, the address was taken, or the child ended or was not ready in time. */
    long getStartFailuresTotal();

    /** Children that ended by themselves after they had been ready. */
    long getUnexpectedExitsTotal();

    /** How the last child ended, for example {@code 0} or {@code 137 (SIGKILL)}; empty before the first end. */
    String getLastExitStatus();

    /** The last failure; empty if there was none. */
    String getLastError();

    /** How long the last start took from the spawn until ready, in milliseconds; 0 before the first. */
    long getLastStartMillis();

    /** How long the child has been running, in milliseconds; 0 while there is none. */
    long getUptimeMillis();

    /** What is run. */
    String getCommand();

    /** The last 200 lines that the child wrote. */
    List<String> getOutputTail();

    /** How long after the last connection the child is stopped, in milliseconds; -1 for never. */
    long getIdleTimeoutMillis();

    /** Sets {@link #getIdleTimeoutMillis}; counts from the last connection's end, at once. */
    void setIdleTimeoutMillis(long millis);

    /** How long a start may take, in milliseconds. */
    long getStartTimeoutMillis();

    /** Sets {@link #getStartTimeoutMillis} also for a start that is under way; 1 ms to 365 days. */
    void setStartTimeoutMillis(long millis);

    /** How long the child may take to end after SIGTERM before it is killed, in milliseconds. */
    long getGracePeriodMillis();

    /** Sets {@link #getGracePeriodMillis} also for a stop that is under way; 0 to 365 days. */
    void setGracePeriodMillis(long millis);

    /** True while the child is kept whether somebody is connected or not. */
    boolean isHeld();

    /** Starts the child now, whatever the back-off says. */
    String start();

    /** Stops the child; connections to it are closed. The next client starts it again. */
    String stop();

    /** Stops the child and starts it again. */
    String restart();

    /** Kills the child with SIGKILL. */
    String kill();

    /** True: starts the child if need be and keeps it; false: idle counts again. */
    String hold(boolean held);
}

package org.tiproxy.management;

import java.util.List;
import java.util.Map;

/** {@code tiproxy:type=Agent}: the javaagent in an application. There once the first connection was redirected. */
public interface AgentMXBean {
    /** tiproxy's version. */
    String getVersion();

    /** The configuration file; empty if there is none. */
    String getConfigFile();

    /** Whether connections that drivers open from now on go through the engine; open ones stay as they are. */
    boolean isEnabled();

    /** Switches it. */
    void setEnabled(boolean enabled);

    /** How many connections of drivers went through the engine, those that could not be opened included. */
    long getRedirectedTotal();

    /** How many connections stayed the driver's own, because of the configuration or of what they want. */
    long getBypassedTotal();

    /** The same by reason. */
    Map<String, Long> getBypassedByReason();

    /** How many connections should have gone through the engine, and were opened by the driver because of our trouble. */
    long getFailOpenTotal();

    /** The last such trouble; empty if there was none. */
    String getLastFailOpen();

    /** When that was, ISO-8601 in UTC; empty if there was none. */
    String getLastFailOpenTime();

    /** The drivers found in the application, each with its version. */
    List<String> getDriversSeen();

    /** Which addresses lead to which others, as in {@code db1:3306 -> 10.0.0.1:3306, 10.0.0.2:3306}. */
    List<String> getRedirectRules();
}

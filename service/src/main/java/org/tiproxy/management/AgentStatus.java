package org.tiproxy.management;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@link AgentView} shows of the agent. Thread-safe; nothing here blocks. */
public interface AgentStatus {
    /** Whether new connections are redirected. */
    boolean isEnabled();

    /** Switches that. */
    void setEnabled(boolean enabled);

    /** How many connections were redirected. */
    long redirectedTotal();

    /** How many stayed the driver's own, by reason. */
    Map<String, Long> bypassedByReason();

    /** How many were opened by the driver because of our trouble. */
    long failOpenTotal();

    /** The last such trouble; null if there was none. */
    @Nullable
    Failure lastFailOpen();

    /** The drivers found, each with its version. */
    List<String> driversSeen();

    /** The rules, as people read them. */
    List<String> redirectRules();

    /**
     * Our trouble.
     *
     * @param cause without secrets
     */
    record Failure(String cause, Instant time) {}
}

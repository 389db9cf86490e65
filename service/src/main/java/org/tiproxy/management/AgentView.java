package org.tiproxy.management;

import java.util.List;
import java.util.Map;

/** The javaagent as JMX shows it. */
public final class AgentView implements AgentMXBean {
    private final String version;
    private final String configFile;
    private final AgentStatus status;

    /**
     * A view of the agent.
     *
     * @param configFile empty if there is none
     */
    public AgentView(String version, String configFile, AgentStatus status) {
        this.version = version;
        this.configFile = configFile;
        this.status = status;
    }

    @Override
    public String getVersion() {
        return version;
    }

    @Override
    public String getConfigFile() {
        return configFile;
    }

    @Override
    public boolean isEnabled() {
        return status.isEnabled();
    }

    @Override
    public void setEnabled(boolean enabled) {
        status.setEnabled(enabled);
    }

    @Override
    public long getRedirectedTotal() {
        return status.redirectedTotal();
    }

    @Override
    public long getBypassedTotal() {
        return status.bypassedByReason().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    @Override
    public Map<String, Long> getBypassedByReason() {
        return status.bypassedByReason();
    }

    @Override
    public long getFailOpenTotal() {
        return status.failOpenTotal();
    }

    @Override
    public String getLastFailOpen() {
        AgentStatus.Failure failure = status.lastFailOpen();
        return failure == null ? "" : failure.cause();
    }

    @Override
    public String getLastFailOpenTime() {
        AgentStatus.Failure failure = status.lastFailOpen();
        return failure == null ? "" : failure.time().toString();
    }

    @Override
    public List<String> getDriversSeen() {
        return status.driversSeen();
    }

    @Override
    public List<String> getRedirectRules() {
        return status.redirectRules();
    }
}

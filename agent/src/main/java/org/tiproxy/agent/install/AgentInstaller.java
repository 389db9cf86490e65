package org.tiproxy.agent.install;

import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.bootstrap.AgentStart;
import org.tiproxy.agent.driver.DriverWeaver;

/** Starts the agent when the first driver class is loaded. */
public final class AgentInstaller implements AgentStart {
    @Override
    public @Nullable Weaver start(@Nullable String arguments) {
        return new DriverWeaver();
    }
}

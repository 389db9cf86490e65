package org.tiproxy.agent.install;

import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.bootstrap.AgentStart;

/** Puts calls of the bridge into driver classes. Thread-safe: class loaders call it at the same time. */
public interface ClassWeaver extends AgentStart.Weaver {
    /**
     * Weaves one class.
     *
     * @param className the class's name with dots, one of {@code DriverClasses}
     * @param loader the class loader that loads it; null for the JVM's own
     * @return the woven class file; null to leave the class as it is
     */
    @Override
    byte @Nullable [] weave(String className, @Nullable ClassLoader loader, byte[] classFile);
}

package org.tiproxy.agent.bootstrap;

import org.jspecify.annotations.Nullable;

/** What the part of the agent that the JVM sees calls in the part that {@code AgentClassLoader} hides. */
public interface AgentStart {
    /**
     * Called once, when the first driver class is loaded. Sets {@link Bridge#HOOK}.
     *
     * @param arguments what stands behind {@code -javaagent:tiproxy.jar=}; null if nothing does
     * @return what weaves this and all later driver classes; null if the application is to be left alone, which has been
     *     reported
     */
    @Nullable
    Weaver start(@Nullable String arguments);

    /** Weaves driver classes. Thread-safe: class loaders call it at the same time. */
    interface Weaver {
        /**
         * Weaves one class.
         *
         * @param className the class's name with dots
         * @param loader the class loader that loads it; null for the JVM's own
         * @return the woven class file; null to leave the class as it is
         */
        byte @Nullable [] weave(String className, @Nullable ClassLoader loader, byte[] classFile);
    }
}

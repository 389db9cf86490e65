package org.tiproxy.agent;

import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.bootstrap.AgentStart;

/**
 * Sees every class that the JVM loads, and lets all pass that are no drivers'. At the first driver class it makes the
 * {@link AgentClassLoader} and starts the rest of the agent in it.
 *
 * <p>Whatever goes wrong is said once, in one line, and from then on the application is left alone.
 */
final class DriverTransformer implements ClassFileTransformer {
    private static final String START = "org.tiproxy.agent.install.AgentInstaller";

    private final @Nullable String arguments;
    // Not while weaving: only the start has a lock, in which no class of the application's is loaded.
    private final Object startLock = new Object();
    private volatile State state = State.WAITING;
    private volatile AgentStart.@Nullable Weaver weaver;

    private enum State {
        /** No driver was seen. */
        WAITING,
        /** The first one was, and one thread starts the rest. */
        STARTING,
        /** Drivers are woven. */
        WEAVING,
        /** The application is left alone. */
        OFF
    }

    DriverTransformer(@Nullable String arguments) {
        this.arguments = arguments;
        // Loads the names now: loaded when the first one is asked for, they would be asked for their own.
        DriverClasses.containsInternal(null);
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader loader,
            @Nullable String className,
            @Nullable Class<?> classBeingRedefined,
            @Nullable ProtectionDomain domain,
            byte[] classFile) {
        if (!DriverClasses.containsInternal(className)) {
            return null;
        }
        String name = String.valueOf(className).replace('/', '.');
        try {
            AgentStart.@Nullable Weaver started = weaver();
            return started == null ? null : started.weave(name, loader, classFile);
        } catch (Throwable e) {
            TiProxyAgent.say("cannot weave " + name + " (" + e + "): its connections stay direct");
            return null;
        }
    }

    private AgentStart.@Nullable Weaver weaver() {
        if (state == State.WEAVING || state == State.OFF) {
            return weaver;
        }
        synchronized (startLock) {
            if (state == State.WAITING) {
                state = State.STARTING;
                AgentStart.@Nullable Weaver started = start();
                weaver = started;
                state = started == null ? State.OFF : State.WEAVING;
            }
            // In STARTING this is the starting thread itself, which must not begin once more.
            return weaver;
        }
    }

    private AgentStart.@Nullable Weaver start() {
        try {
            AgentStart start = (AgentStart) AgentClassLoader.open(true)
                    .loadClass(START)
                    .getDeclaredConstructor()
                    .newInstance();
            return start.start(arguments);
        } catch (Throwable e) {
            TiProxyAgent.say("cannot start (" + e + "): connections stay direct");
            return null;
        }
    }
}

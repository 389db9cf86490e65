package org.tiproxy.agent;

import java.lang.instrument.Instrumentation;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What the JVM calls: before {@code main} when it was given {@code -javaagent:tiproxy.jar}, later when somebody attaches
 * the jar to it.
 *
 * <p>Not done here, because the application's own start must stay as it is: no logging, no JMX, no look for JDBC drivers,
 * no class of a library, no lambda, no file that is read, nothing thrown.
 */
public final class TiProxyAgent {
    private static final AtomicBoolean INSTALLED = new AtomicBoolean();

    private TiProxyAgent() {}

    /** Before the application's {@code main}. */
    public static void premain(@Nullable String arguments, Instrumentation instrumentation) {
        install(arguments, instrumentation);
    }

    /** Into a JVM that runs. Connections that are open stay as they are. */
    public static void agentmain(@Nullable String arguments, Instrumentation instrumentation) {
        install(arguments, instrumentation);
    }

    private static void install(@Nullable String arguments, Instrumentation instrumentation) {
        try {
            if (!INSTALLED.compareAndSet(false, true)) {
                say("is in this JVM already; this further -javaagent or attach has no effect");
                return;
            }
            instrumentation.addTransformer(new DriverTransformer(arguments), true);
            retransformLoaded(instrumentation);
        } catch (Throwable e) {
            say("cannot be installed (" + e + "): connections stay direct");
        }
    }

    /** Another agent, or the application itself, may have loaded drivers before us. */
    private static void retransformLoaded(Instrumentation instrumentation) {
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (DriverClasses.contains(loaded.getName())) {
                try {
                    instrumentation.retransformClasses(loaded);
                } catch (Throwable e) {
                    say("cannot weave " + loaded.getName() + ", which was loaded before (" + e
                            + "): its connections stay direct");
                }
            }
        }
    }

    /** Tells the user, who may have no log yet. */
    static void say(String message) {
        System.err.println("tiproxy: " + message);
    }
}

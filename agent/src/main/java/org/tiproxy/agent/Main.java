package org.tiproxy.agent;

import java.lang.reflect.InvocationTargetException;

/** {@code java -jar tiproxy.jar}: the service, whose classes lie where an application with the agent does not see them. */
public final class Main {
    private Main() {}

    /** Runs the service's own {@code main}. */
    public static void main(String[] args) throws Throwable {
        AgentClassLoader loader = AgentClassLoader.open(false);
        Thread.currentThread().setContextClassLoader(loader);
        try {
            loader.loadClass("org.tiproxy.cli.Main")
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

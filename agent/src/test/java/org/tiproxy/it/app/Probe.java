package org.tiproxy.it.app;

import java.lang.reflect.Field;
import java.util.function.Function;

/** An application that says what it sees. Its arguments say what to do, in order. */
public final class Probe {
    private Probe() {}

    /** Runs the application. */
    public static void main(String[] args) throws Exception {
        for (String argument : args) {
            String value = argument.substring(argument.indexOf('=') + 1);
            switch (argument.substring(0, argument.indexOf('='))) {
                case "find" -> System.out.println(value + " " + where(value));
                case "load" -> Class.forName(value);
                case "property" -> System.out.println(value + " " + System.getProperty(value));
                case "wait" -> {
                    System.out.println(value);
                    while (System.in.read() != '\n') {
                        // Somebody else's line end.
                    }
                }
                case "hook" -> System.out.println(value + " " + (hook() == null ? "without hook" : "with hook"));
                case "threads" ->
                    Thread.getAllStackTraces().keySet().stream()
                            .map(Thread::getName)
                            .filter(name -> name.startsWith("tiproxy"))
                            .forEach(name -> System.out.println("thread " + name));
                default -> throw new IllegalArgumentException(argument);
            }
        }
        System.out.println("done");
    }

    private static String where(String name) {
        try {
            Class<?> found = Class.forName(name, false, Probe.class.getClassLoader());
            return "in "
                    + found.getProtectionDomain().getCodeSource().getLocation().getPath();
        } catch (ClassNotFoundException e) {
            return "not found";
        }
    }

    /** As woven drivers do it. */
    private static Function<?, ?> hook() throws Exception {
        Field field = ClassLoader.getSystemClassLoader()
                .loadClass("org.tiproxy.agent.bootstrap.Bridge")
                .getField("HOOK");
        return (Function<?, ?>) field.get(null);
    }
}

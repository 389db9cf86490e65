package org.tiproxy.examples.testing;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** An example in a JVM of its own, which can be asked over JMX what the agent has done in it. */
public final class ExampleJvm implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final Path output;
    private final Path errors;
    private final int jmxPort;
    private final Process process;

    private ExampleJvm(Path output, Path errors, int jmxPort, Process process) {
        this.output = output;
        this.errors = errors;
        this.jmxPort = jmxPort;
        this.process = process;
    }

    /**
     * Starts {@code java} with JMX on a free port of the loopback interface.
     *
     * @param folder for what it prints
     * @param environment more of it
     * @param arguments of {@code java}
     */
    public static ExampleJvm start(Path folder, Map<String, String> environment, List<String> arguments)
            throws IOException {
        int jmxPort = ProjectFiles.freePort();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                // It ends before optimizing it would pay.
                "-XX:TieredStopAtLevel=1",
                "-Dcom.sun.management.jmxremote.port=" + jmxPort,
                "-Dcom.sun.management.jmxremote.rmi.port=" + jmxPort,
                "-Dcom.sun.management.jmxremote.host=127.0.0.1",
                "-Djava.rmi.server.hostname=127.0.0.1",
                "-Dcom.sun.management.jmxremote.authenticate=false",
                "-Dcom.sun.management.jmxremote.ssl=false"));
        command.addAll(arguments);
        Path output = Files.createTempFile(folder, "output", ".txt");
        Path errors = Files.createTempFile(folder, "errors", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("TIPROXY_"));
        builder.environment().putAll(environment);
        return new ExampleJvm(output, errors, jmxPort, builder.start());
    }

    /** The option that puts the agent into a JVM. */
    public static String agentOption() {
        return "-javaagent:" + ProjectFiles.agentJar();
    }

    /**
     * Waits until the example has ended by itself, which must be with status 0.
     *
     * @return what it has printed
     */
    public List<String> awaitEnd() throws InterruptedException {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("still running after " + PATIENCE.toSeconds() + " s" + everything());
        }
        if (process.exitValue() != 0) {
            throw new AssertionError("ended with status " + process.exitValue() + everything());
        }
        return output().lines().toList();
    }

    /** Waits until this was printed. */
    public void awaitOutput(String text) {
        await().atMost(PATIENCE).until(() -> {
            if (!process.isAlive()) {
                throw new AssertionError("ended before it has printed " + text + everything());
            }
            return output().contains(text);
        });
    }

    /** Whether the agent has registered its bean, which it does before the first connection that it redirects. */
    public boolean hasAgentBean() throws IOException, JMException {
        try (JMXConnector connector = connect()) {
            return connector.getMBeanServerConnection().isRegistered(agentBean());
        }
    }

    /** An attribute of the bean {@code tiproxy:type=Agent}. */
    public Object agentAttribute(String name) throws IOException, JMException {
        try (JMXConnector connector = connect()) {
            return connector.getMBeanServerConnection().getAttribute(agentBean(), name);
        }
    }

    // The JVM that is asked is the test's own child.
    @SuppressWarnings("BanJNDI")
    private JMXConnector connect() throws IOException {
        return JMXConnectorFactory.connect(
                new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + jmxPort + "/jmxrmi"));
    }

    private static ObjectName agentBean() throws JMException {
        return new ObjectName("tiproxy:type=Agent");
    }

    /** What it has printed to standard output. */
    public String output() {
        return read(output);
    }

    /** What it has printed to standard error, which is where the agent's log goes. */
    public String errors() {
        return read(errors);
    }

    private String everything() {
        return "\n" + output() + "\n" + errors();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}

package org.tiproxy.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * {@code java -jar tiproxy.jar …} as a user runs it: a process of its own, whose output, beans (over Jolokia) and child
 * the test looks at. Every listening address is a free port on the loopback interface.
 */
final class TiProxyJar implements AutoCloseable {
    static final Path JAR = Path.of("target", "tiproxy.jar").toAbsolutePath();
    static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    final int port = freePort();
    final int backendPort = freePort();
    final int jmxPort = freePort();
    final int jolokiaPort = freePort();
    final Path stateDirectory;
    private final List<String> output = new CopyOnWriteArrayList<>();
    private final Map<Predicate<String>, CompletableFuture<String>> awaited = new ConcurrentHashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private Process process;
    /** Short: the HTTP client keeps its connections for later. */
    private String gracefulClose = "500ms";

    TiProxyJar(Path stateDirectory) throws IOException {
        this.stateDirectory = stateDirectory;
    }

    TiProxyJar gracefulClose(String duration) {
        gracefulClose = duration;
        return this;
    }

    TiProxyJar environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Starts with these arguments after {@code --bind} and {@code --dest}, and waits until it listens. */
    TiProxyJar start(String... args) throws Exception {
        CompletableFuture<String> listening = line(text -> text.contains("listens on"));
        launch(args);
        listening.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return this;
    }

    /** Starts without waiting. */
    TiProxyJar launch(String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                JAVA, "-jar", JAR.toString(), "--bind", "127.0.0.1:" + port, "--dest", "127.0.0.1:" + backendPort));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("TIPROXY_"));
        builder.environment().put("TIPROXY_PROXY_GRACEFUL_CLOSE_CONN_TIMEOUT", gracefulClose);
        builder.environment().put("TIPROXY_JMX_ADDR", "127.0.0.1:" + jmxPort);
        builder.environment().put("TIPROXY_JOLOKIA_ADDR", "127.0.0.1:" + jolokiaPort);
        builder.environment().put("TIPROXY_SUPERVISOR_STATE_DIR", stateDirectory.toString());
        if (!List.of(args).contains("--exec")) {
            builder.environment().remove("TIPROXY_SUPERVISOR_STATE_DIR");
        }
        builder.environment().putAll(environment);
        process = builder.start();
        Thread reader = new Thread(this::readOutput, "tiproxy-output");
        reader.setDaemon(true);
        reader.start();
        return this;
    }

    private void readOutput() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null; ) {
                output.add(line);
                String seen = line;
                awaited.forEach((wanted, future) -> {
                    if (wanted.test(seen)) {
                        future.complete(seen);
                    }
                });
            }
        } catch (IOException e) {
            output.add("(output ended: " + e + ")");
        }
        awaited.values()
                .forEach(future -> future.completeExceptionally(
                        new AssertionError("tiproxy ended; it had said:\n" + String.join("\n", output))));
    }

    /** Completes with the first line from now on that fits. */
    CompletableFuture<String> line(Predicate<String> wanted) {
        CompletableFuture<String> future = new CompletableFuture<>();
        awaited.put(wanted, future);
        return future;
    }

    List<String> output() {
        return List.copyOf(output);
    }

    Process process() {
        return process;
    }

    /** {@code kill -NAME pid} of the proxy. */
    void signal(String name) throws Exception {
        signal(process.pid(), name);
    }

    static void signal(long pid, String name) throws Exception {
        int status = new ProcessBuilder("/bin/kill", "-" + name, Long.toString(pid))
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException("kill -" + name + " " + pid + " ended with status " + status);
        }
    }

    int awaitExit() throws Exception {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new TimeoutException("tiproxy has not ended; it said:\n" + String.join("\n", output));
        }
        return process.exitValue();
    }

    /** The answer of a GET through the proxy. */
    String get(String path) throws Exception {
        return body(HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(PATIENCE)
                        .build(),
                HttpResponse.BodyHandlers.ofString()));
    }

    /** A request to Jolokia, for example {@code read/tiproxy:type=Service/Version}; the whole JSON answer. */
    String jolokia(String request) throws Exception {
        return body(HTTP.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + jolokiaPort + "/jolokia/" + request))
                        .timeout(PATIENCE)
                        .build(),
                HttpResponse.BodyHandlers.ofString()));
    }

    /** The value of an attribute of the supervisor, as text. */
    String supervisor(String attribute) throws Exception {
        return value(jolokia("read/tiproxy:type=Supervisor,name=default/" + attribute));
    }

    /** The value of an attribute of the proxy, as text. */
    String proxy(String attribute) throws Exception {
        return value(jolokia("read/tiproxy:type=Proxy,name=default/" + attribute));
    }

    /** The value of an attribute of the pool, as text. */
    String pool(String attribute) throws Exception {
        return value(jolokia("read/tiproxy:type=Pool,name=default/" + attribute));
    }

    private static String body(HttpResponse<String> response) {
        if (response.statusCode() / 100 != 2) {
            throw new AssertionError("status " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }

    /** The simple value in a Jolokia answer. */
    static String value(String json) {
        var found = java.util.regex.Pattern.compile("\"value\":(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^,}]+))")
                .matcher(json);
        if (!found.find()) {
            throw new AssertionError("no value in " + json);
        }
        return found.group(1) != null ? found.group(1) : found.group(2);
    }

    /** Ends the proxy in order, if it still runs; the child with it. */
    @Override
    public void close() throws IOException {
        if (process == null) {
            return;
        }
        for (int attempt = 0; attempt < 2 && process.isAlive(); attempt++) {
            process.destroy();
            try {
                process.onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException | TimeoutException e) {
                throw new IOException("tiproxy does not end; it said:\n" + String.join("\n", output), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                process.destroyForcibly();
            }
        }
    }

    /** The child's flags for an HTTP server on the backend's port. */
    List<String> httpChild() {
        return List.of(
                "--exec",
                JAVA,
                "--",
                "-cp",
                Path.of("target", "test-classes").toAbsolutePath().toString(),
                HttpChild.class.getName(),
                Integer.toString(backendPort));
    }
}

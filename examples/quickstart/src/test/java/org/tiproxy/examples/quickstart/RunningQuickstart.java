package org.tiproxy.examples.quickstart;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The quick start's own script, started on free ports with its files in a folder of the test. */
final class RunningQuickstart implements AutoCloseable {
    private static final Path DIRECTORY = Path.of(System.getProperty("quickstart.directory", "."));
    private static final Pattern VALUE = Pattern.compile("\"value\":\"?([^\",}]+)");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String proxyAddress = freeAddress();
    private final String jolokiaAddress = freeAddress();
    private final Path output;
    private final Process proxy;

    RunningQuickstart(Path folder) throws IOException {
        String backendAddress = freeAddress();
        output = folder.resolve("output.txt");
        ProcessBuilder builder = new ProcessBuilder(
                DIRECTORY.resolve("start.sh").toAbsolutePath().toString());
        builder.environment()
                .putAll(Map.of(
                        "JAVA_HOME",
                        System.getProperty("java.home"),
                        "QUICKSTART_BUILD",
                        "no",
                        "MARIADB_PORT",
                        backendAddress.substring(backendAddress.indexOf(':') + 1),
                        "MARIADB_DATA",
                        folder.resolve("data").toString(),
                        "TIPROXY_PROXY_ADDR",
                        proxyAddress,
                        "TIPROXY_SUPERVISOR_IDLE",
                        "1s",
                        "TIPROXY_SUPERVISOR_STATE_DIR",
                        folder.resolve("state").toString(),
                        "TIPROXY_JMX_ADDR",
                        "off",
                        "TIPROXY_JOLOKIA_ADDR",
                        jolokiaAddress));
        File log = output.toFile();
        proxy = builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .start();
    }

    /** Whether a server can be started here at all; where it must be possible, a failure shall be seen. */
    static boolean hasServer() throws IOException, InterruptedException {
        if (System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64")) {
            return true;
        }
        Process which = new ProcessBuilder(DIRECTORY.resolve("mariadb.sh").toString(), "--which")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return which.waitFor() == 0;
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(Query.url(Map.of("TIPROXY_PROXY_ADDR", proxyAddress)));
    }

    /** One attribute of the MBean of this type over Jolokia's HTTP; "unreachable" while nothing answers there. */
    String attribute(String type, String attribute) {
        URI uri = URI.create(
                "http://" + jolokiaAddress + "/jolokia/read/tiproxy:type=" + type + ",name=default/" + attribute);
        try {
            String body = http.send(
                            HttpRequest.newBuilder(uri)
                                    .timeout(Duration.ofSeconds(5))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            Matcher matcher = VALUE.matcher(body);
            return matcher.find() ? matcher.group(1) : body;
        } catch (IOException e) {
            return "unreachable";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    /** The processes below the proxy: the server and, while it is being set up, its helpers. */
    List<ProcessHandle> children() {
        return proxy.descendants().toList();
    }

    /** Sends SIGTERM and waits for the proxy to end. */
    int terminate() throws InterruptedException {
        proxy.destroy();
        if (!proxy.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("still running a minute after SIGTERM:\n" + output());
        }
        return proxy.exitValue();
    }

    /** What the script, the proxy and the server have printed. */
    String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return "no output: " + e;
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> children = children();
        proxy.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        children.forEach(child -> child.onExit().join());
        proxy.onExit().join();
    }

    private static String freeAddress() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

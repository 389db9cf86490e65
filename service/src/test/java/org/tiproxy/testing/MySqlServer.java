package org.tiproxy.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A real MySQL server on a free port of the loopback interface, as {@code .ci/unpack-mysql} has brought it: account {@code
 * demo}, password {@code demo}, database {@code demo}. It offers TLS with a certificate that it has made itself.
 */
public final class MySqlServer implements AutoCloseable {
    private static final Path PROGRAM =
            Path.of("..", "target", "mysql", "mysqld").toAbsolutePath().normalize();

    private final int port;
    private final ServerProcess process;

    private MySqlServer(int port, ServerProcess process) {
        this.port = port;
        this.process = process;
    }

    /** Skips the tests of the calling class where no server was unpacked. */
    public static void assumePresent() {
        assumeTrue(isPresent(), "no " + PROGRAM + ": .ci/unpack-mysql brings it");
    }

    /** Whether a server was unpacked. */
    public static boolean isPresent() {
        return Files.isExecutable(PROGRAM);
    }

    /**
     * Starts a server with a new data directory below {@code folder}, and waits until it can be used.
     *
     * @param accounts statements that are run first, after those for {@code demo}
     * @param options further options of the server's command line
     */
    public static MySqlServer start(Path folder, List<String> accounts, String... options) throws IOException {
        Path data = folder.toAbsolutePath().resolve("mysql");
        Path log = folder.toAbsolutePath().resolve("mysql.log");
        List<String> first = new ArrayList<>(List.of(
                "CREATE DATABASE demo;",
                "CREATE USER demo@'127.0.0.1' IDENTIFIED BY 'demo';",
                "GRANT ALL ON demo.* TO demo@'127.0.0.1';"));
        accounts.forEach(statement -> first.add(statement + ";"));
        Path init = Files.write(folder.resolve("mysql.sql"), first).toAbsolutePath();
        run(folder, log, List.of("--initialize-insecure", "--datadir=" + data)).awaitSuccess();
        int port = MariaDbServer.freePort();
        List<String> arguments = new ArrayList<>(List.of(
                "--datadir=" + data,
                "--port=" + port,
                "--bind-address=127.0.0.1",
                "--socket=mysql.sock",
                "--pid-file=" + data.resolve("mysql.pid"),
                // Files in a common one may be cleared away by whichever server starts next.
                "--tmpdir=" + Files.createDirectories(data.resolveSibling("mysql.tmp")),
                "--init-file=" + init,
                "--skip-name-resolve",
                "--skip-log-bin",
                "--innodb-buffer-pool-size=32M",
                "--performance-schema=OFF"));
        arguments.addAll(Arrays.asList(options));
        ServerProcess process = run(folder, log, arguments);
        process.awaitLogin("jdbc:mariadb://127.0.0.1:" + port + "/demo?sslMode=trust", "demo", "demo");
        return new MySqlServer(port, process);
    }

    private static ServerProcess run(Path folder, Path log, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(PROGRAM.toString()));
        if (System.getProperty("user.name").equals("root")) {
            command.add("--user=root");
        }
        command.addAll(arguments);
        return ServerProcess.start(folder, log, command);
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** The server itself. */
    public Process process() {
        return process.process();
    }

    @Override
    public void close() {
        process.close();
    }
}

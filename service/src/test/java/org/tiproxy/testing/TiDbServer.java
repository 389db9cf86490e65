package org.tiproxy.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A real TiDB server with a store of its own on free ports of the loopback interface, as {@code .ci/build-tidb} makes it:
 * account {@code demo}, password {@code demo}, database {@code demo}. It offers TLS with a certificate that it has made
 * itself.
 */
public final class TiDbServer implements AutoCloseable {
    private static final Path PROGRAM =
            Path.of("..", "target", "tidb", "tidb-server").toAbsolutePath().normalize();

    private final int port;
    private final Process process;

    private TiDbServer(int port, Process process) {
        this.port = port;
        this.process = process;
    }

    /** Skips the tests of the calling class where no server was built. */
    public static void assumePresent() {
        assumeTrue(Files.isExecutable(PROGRAM), "no " + PROGRAM + ": .ci/build-tidb makes it");
    }

    /**
     * Starts a server with a new store below {@code folder}, and waits until it can be used.
     *
     * @param accounts statements that are run first, after those for {@code demo}
     */
    public static TiDbServer start(Path folder, List<String> accounts) throws IOException, SQLException {
        int port = MariaDbServer.freePort();
        Path log = folder.resolve("tidb.log");
        Path config = Files.write(folder.resolve("tidb.toml"), List.of("[security]", "auto-tls = true"));
        Process process = new ProcessBuilder(
                        PROGRAM.toString(),
                        "-P",
                        Integer.toString(port),
                        "--host",
                        "127.0.0.1",
                        "--status",
                        Integer.toString(MariaDbServer.freePort()),
                        "--status-host",
                        "127.0.0.1",
                        "--config",
                        config.toString(),
                        "--store",
                        "unistore",
                        "--path",
                        folder.resolve("tidb").toString(),
                        "--socket",
                        folder.resolve("tidb.sock").toString(),
                        "--temp-dir",
                        folder.resolve("tidb-temp").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        TiDbServer server = new TiDbServer(port, process);
        Awaitility.await("the server, see " + log).atMost(2, TimeUnit.MINUTES).until(() -> server.answers(log));
        List<String> first = new ArrayList<>(List.of(
                "CREATE DATABASE demo",
                "CREATE USER demo@'127.0.0.1' IDENTIFIED BY 'demo'",
                "GRANT ALL ON demo.* TO demo@'127.0.0.1'"));
        first.addAll(accounts);
        try (Connection root = server.root();
                Statement statement = root.createStatement()) {
            for (String sql : first) {
                statement.execute(sql);
            }
        }
        return server;
    }

    private Connection root() throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/?sslMode=disable", "root", "");
    }

    private boolean answers(Path log) throws IOException {
        if (!process.isAlive()) {
            throw new IllegalStateException("the server has ended: " + Files.readString(log));
        }
        try (Connection connection = root()) {
            return connection.isValid(10);
        } catch (SQLException e) {
            return false;
        }
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
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

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

/**
 * A real TiDB server with a store of its own on free ports of the loopback interface, as {@code .ci/build-tidb} makes it:
 * account {@code demo}, password {@code demo}, database {@code demo}. It offers TLS with a certificate that it has made
 * itself.
 */
public final class TiDbServer implements AutoCloseable {
    private static final Path PROGRAM =
            Path.of("..", "target", "tidb", "tidb-server").toAbsolutePath().normalize();

    private final int port;
    private final ServerProcess process;

    private TiDbServer(int port, ServerProcess process) {
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
        Path where = folder.toAbsolutePath();
        Path config = Files.write(where.resolve("tidb.toml"), List.of("[security]", "auto-tls = true"));
        ServerProcess process = ServerProcess.start(
                where,
                where.resolve("tidb.log"),
                List.of(
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
                        where.resolve("tidb").toString(),
                        "--socket",
                        where.resolve("tidb.sock").toString(),
                        "--temp-dir",
                        where.resolve("tidb-temp").toString()));
        String url = "jdbc:mariadb://127.0.0.1:" + port + "/?sslMode=disable";
        process.awaitLogin(url, "root", "");
        List<String> first = new ArrayList<>(List.of(
                "CREATE DATABASE demo",
                "CREATE USER demo@'127.0.0.1' IDENTIFIED BY 'demo'",
                "GRANT ALL ON demo.* TO demo@'127.0.0.1'"));
        first.addAll(accounts);
        try (Connection root = DriverManager.getConnection(url, "root", "");
                Statement statement = root.createStatement()) {
            for (String sql : first) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            process.close();
            throw e;
        }
        return new TiDbServer(port, process);
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
    }

    @Override
    public void close() {
        process.close();
    }
}

package org.tiproxy.examples.testing;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The quick start's MariaDB server on a free port of the loopback interface: database, account and password are {@code
 * demo}.
 */
public final class ExampleDatabase implements AutoCloseable {
    private final int port;
    private final Path log;
    private final Process server;

    private ExampleDatabase(int port, Path log, Process server) {
        this.port = port;
        this.log = log;
        this.server = server;
    }

    /**
     * Starts a server with a new data directory and waits until it answers.
     *
     * @param folder for the data directory and the log
     */
    public static ExampleDatabase start(Path folder) throws IOException {
        int port = ProjectFiles.freePort();
        Path log = folder.resolve("server.log");
        // No test loses power: what a crashed server has written is still there.
        ProcessBuilder builder = new ProcessBuilder(ProjectFiles.serverScript().toString(), "--debug-no-sync=1")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("MARIADB_PORT", Integer.toString(port));
        builder.environment().put("MARIADB_DATA", folder.resolve("data").toString());
        ExampleDatabase database = new ExampleDatabase(port, log, builder.start());
        await("the server, see " + log)
                .atMost(Duration.ofMinutes(3))
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(database::answers);
        return database;
    }

    /** Whether a server can be started here at all; where it must be possible, a failure shall be seen. */
    public static boolean isPossible() throws IOException, InterruptedException {
        if (System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64")) {
            return true;
        }
        return new ProcessBuilder(ProjectFiles.serverScript().toString(), "--which")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }

    private boolean answers() throws SQLException {
        if (!server.isAlive()) {
            throw new IllegalStateException("the server has ended: " + log());
        }
        try (Connection connection = connect()) {
            return connection.isValid(10);
        }
    }

    private Connection connect() throws SQLException {
        // The server has no TLS, which some versions of the driver ask for.
        return DriverManager.getConnection(url("mariadb") + "?sslMode=disable", "demo", "demo");
    }

    /**
     * The database's URL, without user and password.
     *
     * @param driver {@code mysql} for Connector/J, {@code mariadb} for MariaDB's
     */
    public String url(String driver) {
        return "jdbc:" + driver + "://127.0.0.1:" + port + "/demo";
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** How many connections clients have made to the server since it started; the one that asks counts too. */
    public long connectionsMade() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Connections'")) {
            row.next();
            return row.getLong("Value");
        }
    }

    private String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        server.destroy();
        try {
            if (!server.waitFor(1, TimeUnit.MINUTES)) {
                server.destroyForcibly();
            }
        } catch (InterruptedException e) {
            server.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

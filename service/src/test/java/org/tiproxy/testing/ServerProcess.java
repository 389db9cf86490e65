package org.tiproxy.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A database server that a test has started, on a port of 127.0.0.1. */
final class ServerProcess implements AutoCloseable {
    private final Process process;
    private final Path log;

    private ServerProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Starts it; what it says goes to the log. */
    static ServerProcess start(Path folder, Path log, List<String> command) throws IOException {
        return new ServerProcess(
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .start(),
                log);
    }

    Process process() {
        return process;
    }

    /** Waits for its end, and fails unless it is a good one. */
    void awaitSuccess() throws IOException {
        try {
            if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new IOException("not done: " + Files.readString(log));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Waits until somebody can log in; ends the server if that does not happen. */
    void awaitLogin(String url, String user, String password) {
        boolean answers = false;
        try {
            Awaitility.await("the server, see " + log)
                    .atMost(2, TimeUnit.MINUTES)
                    .until(() -> answers(url, user, password));
            answers = true;
        } finally {
            if (!answers) {
                close();
            }
        }
    }

    private boolean answers(String url, String user, String password) throws IOException {
        if (!process.isAlive()) {
            throw new IllegalStateException("the server has ended: " + Files.readString(log));
        }
        try (Connection connection = DriverManager.getConnection(url, user, password)) {
            return connection.isValid(10);
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}

package org.tiproxy.agent.log;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * Where the agent's log lines go: the application's standard error, or a file. One line each, as the service writes them,
 * with {@code tiproxy} in front where they stand among the application's own. Thread-safe; writes on the caller's thread.
 */
public final class AgentLog {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private static volatile Level level = Level.INFO;
    private static volatile @Nullable PrintStream file;

    private AgentLog() {}

    /**
     * Says what is logged, and where.
     *
     * @param least the least important messages that are logged
     * @param path the file, which lines are added to; null for standard error
     * @throws IOException if the file cannot be written; everything stays as it was
     */
    public static void configure(Level least, @Nullable Path path) throws IOException {
        PrintStream opened = path == null
                ? null
                : new PrintStream(
                        Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
                        true,
                        StandardCharsets.UTF_8);
        PrintStream before = file;
        level = least;
        file = opened;
        if (before != null) {
            before.close();
        }
    }

    static boolean isEnabled(Level wanted) {
        return wanted.toInt() >= level.toInt();
    }

    static void write(Level importance, String logger, String message, @Nullable Throwable thrown) {
        PrintStream target = file;
        StringBuilder line = new StringBuilder(160);
        if (target == null) {
            target = System.err;
            line.append("tiproxy ");
        }
        TIME.formatTo(Instant.now(), line);
        line.append(' ').append(importance);
        line.append(importance.toString().length() < 5 ? "  [" : " [");
        line.append(Thread.currentThread().getName()).append("] ");
        line.append(logger).append(" - ").append(message).append(System.lineSeparator());
        if (thrown != null) {
            StringWriter trace = new StringWriter();
            thrown.printStackTrace(new PrintWriter(trace));
            line.append(trace);
        }
        // One call, so that lines of several threads do not mix.
        target.print(line);
        target.flush();
    }
}

package org.tiproxy.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.logging.ConsoleHandler;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * Sets up {@code java.util.logging}, the back end that slf4j is bound to: one line per message, to standard error or to
 * a file. Levels can be changed at run time through the JVM's bean {@code java.util.logging:type=Logging}.
 */
public final class Logging {
    // JUL keeps loggers by weak reference only: without these, the levels would be forgotten.
    private static final Logger OURS = Logger.getLogger("org.tiproxy");
    private static final Logger LIBRARIES = Logger.getLogger("org.tiproxy.shaded");
    private static final Logger ROOT = Logger.getLogger("");

    private Logging() {}

    /**
     * Replaces the handlers and sets the level.
     *
     * @throws ProxyException if the file cannot be written
     */
    public static void configure(LogConfig config) throws ProxyException {
        Level level = level(config.level());
        Path file = config.file();
        LogManager.getLogManager().reset();
        Handler handler;
        if (file == null) {
            handler = new ConsoleHandler();
        } else {
            try {
                handler = new RotatingFileHandler(file, config.maxFileSize().bytes(), config.maxBackups());
            } catch (IOException e) {
                throw new ProxyException(
                        ProxyError.INTERNAL,
                        "cannot write the log file " + file + " (" + e + "): check log.log-file.filename");
            }
        }
        ROOT.addHandler(new AsyncHandler(handler, new LineFormatter()));
        OURS.setLevel(level);
        // What the libraries say below INFO helps nobody but their own developers.
        Level libraries = level.intValue() < Level.INFO.intValue() ? Level.INFO : level;
        LIBRARIES.setLevel(libraries);
        ROOT.setLevel(libraries);
    }

    private static Level level(LogConfig.Level level) {
        return switch (level) {
            case ERROR -> Level.SEVERE;
            case WARN -> Level.WARNING;
            case INFO -> Level.INFO;
            case DEBUG -> Level.FINE;
            case TRACE -> Level.FINEST;
        };
    }

    /** {@code 2026-11-21T08:15:30.123Z INFO  [thread] logger - message}. */
    private static final class LineFormatter extends Formatter {
        private static final DateTimeFormatter TIME =
                DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

        @Override
        public String format(LogRecord record) {
            StringBuilder line = new StringBuilder(160);
            Instant time = record.getInstant();
            TIME.formatTo(time, line);
            line.append(' ').append(name(record.getLevel())).append(" [");
            line.append(Thread.currentThread().getName()).append("] ");
            String logger = record.getLoggerName();
            line.append(logger == null ? "" : logger.substring(logger.lastIndexOf('.') + 1));
            line.append(" - ").append(formatMessage(record)).append('\n');
            Throwable thrown = record.getThrown();
            if (thrown != null) {
                StringWriter trace = new StringWriter();
                thrown.printStackTrace(new PrintWriter(trace));
                line.append(trace);
            }
            return line.toString();
        }

        private static String name(Level level) {
            int value = level.intValue();
            if (value >= Level.SEVERE.intValue()) {
                return "ERROR";
            } else if (value >= Level.WARNING.intValue()) {
                return "WARN ";
            } else if (value >= Level.INFO.intValue()) {
                return "INFO ";
            }
            return value >= Level.FINE.intValue() ? "DEBUG" : "TRACE";
        }
    }
}

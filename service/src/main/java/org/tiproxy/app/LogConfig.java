package org.tiproxy.app;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.ByteSize;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * Where the log goes and how much is told.
 *
 * @param level the least important messages that are still logged
 * @param file the log file; null for standard error
 * @param maxFileSize the size at which a new file is begun
 * @param maxBackups how many full files are kept beside the current one
 */
public record LogConfig(Level level, @Nullable Path file, ByteSize maxFileSize, int maxBackups) {

    /** How important a message is. */
    public enum Level {
        /** Something failed. */
        ERROR,
        /** Something may fail, or was unexpected. */
        WARN,
        /** What an operator wants to know. */
        INFO,
        /** What helps to find a cause. */
        DEBUG,
        /** Everything. */
        TRACE
    }

    static final Key<Level> LEVEL = Key.choice("log.level", Level.class, "the least important messages that are logged")
            .byDefault("info");
    static final Key<Path> FILE_NAME =
            Key.path("log.log-file.filename", "a file", "the log file; none = standard error");
    static final Key<ByteSize> MAX_SIZE = Key.megabytesOrSize(
                    "log.log-file.max-size", "the size at which a new file is begun; a bare number is megabytes")
            .byDefault("300MB");
    static final Key<Integer> MAX_BACKUPS = Key.integer(
                    "log.log-file.max-backups", 0, 1000, "how many full files are kept beside the current one")
            .byDefault("3");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(LEVEL, FILE_NAME, MAX_SIZE, MAX_BACKUPS);

    /** Reads the section. */
    public static LogConfig from(Settings settings, Problems problems) {
        ByteSize maxSize = settings.get(MAX_SIZE);
        if (maxSize.bytes() == 0) {
            problems.error(settings.origin(MAX_SIZE), "expected more than 0");
        }
        return new LogConfig(settings.get(LEVEL), settings.find(FILE_NAME), maxSize, settings.get(MAX_BACKUPS));
    }
}

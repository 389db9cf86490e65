package org.tiproxy.config;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Origin.Source;

/**
 * The values that all sources together give: flags before system properties before environment before
 * file before default. Every config record is
 * made from these by its {@code from(Settings, Problems)}.
 *
 * <p>A value that could not be read has been reported already, and its key reads as its default, so that rules need not
 * care. Not thread-safe while {@link SettingsReader} fills it, immutable afterwards.
 */
public final class Settings {
    private final Map<String, EnumMap<Source, Given>> givenByPath = new HashMap<>();
    private final Map<String, String> environment;
    private @Nullable Path configFile;
    private boolean complete = true;

    Settings(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /** A value that was given; {@code value} is null if the key cannot read it. */
    private record Given(@Nullable RawValue value, Origin origin) {}

    /** Stores a value, null for one that the key cannot read; false if its source has given the key already. */
    boolean put(Key<?> key, @Nullable RawValue value, Origin origin) {
        return givenByPath
                        .computeIfAbsent(key.path(), path -> new EnumMap<>(Source.class))
                        .putIfAbsent(origin.source(), new Given(value, origin))
                == null;
    }

    void readFrom(Path file, boolean readCompletely) {
        configFile = file;
        complete &= readCompletely;
    }

    /**
     * The value of a key that has a default.
     *
     * @throws NoSuchElementException if it has none and was not given
     */
    public <T> T get(Key<T> key) {
        @Nullable T value = find(key);
        if (value == null) {
            throw new NoSuchElementException(key.path() + " has neither a value nor a default");
        }
        return value;
    }

    /** The value of a key; null if it was not given, or wrongly, and has no default. */
    public <T> @Nullable T find(Key<T> key) {
        @Nullable Given given = given(key);
        if (given != null && given.value() != null) {
            return read(key, given.value());
        }
        @Nullable String text = key.defaultText();
        return text == null ? null : read(key, RawValue.text(text, Origin.ofDefault(key.path())));
    }

    private static <T> T read(Key<T> key, RawValue value) {
        try {
            return key.read(value);
        } catch (InvalidValueException e) {
            // SettingsReader keeps only values that it has read once.
            throw new IllegalStateException(key.path() + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether any source gave the key, rightly or wrongly. */
    public boolean isSet(Key<?> key) {
        return given(key) != null;
    }

    /**
     * Whether it is certain that nobody gave the key. Neither this nor {@link #isSet} is true when the file could not be
     * read completely: then a complaint that the key is missing might be wrong.
     */
    public boolean isMissing(Key<?> key) {
        return complete && !isSet(key);
    }

    /** Whether the file gives the key, be it that another source wins over it. */
    public boolean isInFile(Key<?> key) {
        @Nullable EnumMap<Source, Given> bySource = givenByPath.get(key.path());
        return bySource != null && bySource.containsKey(Source.FILE);
    }

    /** Where the value comes from, for messages. */
    public Origin origin(Key<?> key) {
        @Nullable Given given = given(key);
        return given == null ? Origin.ofDefault(key.path()) : given.origin();
    }

    /** The process's environment. */
    public Map<String, String> environment() {
        return environment;
    }

    /** The file that was read; null if there was none. */
    public @Nullable Path configFile() {
        return configFile;
    }

    private @Nullable Given given(Key<?> key) {
        @Nullable EnumMap<Source, Given> bySource = givenByPath.get(key.path());
        if (bySource == null) {
            return null;
        }
        @Nullable Given winner = null;
        // In the order of Source's constants, in which a later one wins.
        for (Given given : bySource.values()) {
            winner = given;
        }
        return winner;
    }
}

package org.tiproxy.config;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Origin.Source;

/**
 * Reads the sources of a configuration, in any order, and reports every mistake found in any of them, also in values that
 * another source overrides. Not thread-safe.
 */
public final class SettingsReader {
    /** Names the file when there is no flag that does. */
    public static final String CONFIG_FILE_VARIABLE = Key.VARIABLE_PREFIX + "CONFIG";

    /** The same as a system property. */
    public static final String CONFIG_FILE_PROPERTY = Key.PROPERTY_PREFIX + "config";

    /** Kubernetes sets these in every container beside a service named "tiproxy"; they are not meant for us. */
    private static final Pattern SERVICE_LINK =
            Pattern.compile("TIPROXY_SERVICE_(HOST|PORT(_.*)?)|TIPROXY_PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?");

    private final Map<String, Key<?>> keys = new LinkedHashMap<>();
    /** The paths by which a secret's file is given, with the secret's key. */
    private final Map<String, Key<?>> secretFiles = new LinkedHashMap<>();

    private final Set<String> sections = new LinkedHashSet<>();
    private final List<String> ignored;
    private final List<String> ignoredFound = new ArrayList<>();
    private final Problems problems;
    private final Settings settings;

    /**
     * A reader without any source yet.
     *
     * @param known all keys there are
     * @param ignored paths of keys or sections that are none of ours and still no mistake in a file
     * @param environment the process's environment, whose {@code TIPROXY_…} variables are read at once
     */
    public SettingsReader(
            List<? extends Key<?>> known, List<String> ignored, Map<String, String> environment, Problems problems) {
        for (Key<?> key : known) {
            if (keys.put(key.path(), key) != null) {
                throw new IllegalArgumentException(key.path() + " is declared twice");
            }
            if (key.isSecret()) {
                secretFiles.put(key.path() + Key.FILE_SUFFIX, key);
            }
            for (int dot = key.path().indexOf('.'); dot >= 0; dot = key.path().indexOf('.', dot + 1)) {
                sections.add(key.path().substring(0, dot));
            }
        }
        this.ignored = List.copyOf(ignored);
        this.problems = problems;
        this.settings = new Settings(environment);
        readEnvironment(environment);
    }

    /**
     * Reads a TOML file.
     *
     * @param shownName what messages call it
     * @param namedBy where the user named the file, for the message that it cannot be read
     */
    public void readFile(Path file, String shownName, Origin namedBy) {
        Set<String> secretWords = secretFiles.values().stream()
                .map(key -> lastSegment(key.path()))
                .collect(Collectors.toSet());
        // A user's, which is as good as the password.
        secretWords.add("hash");
        boolean complete =
                new TomlFile(file, shownName, namedBy, this::isKey, secretWords, problems, this::acceptFromFile).read();
        settings.readFrom(file, complete);
        warnOfIgnored(shownName);
    }

    /**
     * Takes a flag's value, once per key.
     *
     * @param shownName the flag as the user knows it, with its dashes
     */
    public void readFlag(Key<?> key, String shownName, String value) {
        Origin origin = Origin.ofFlag(shownName, key.path());
        accept(key, RawValue.text(value, origin), origin);
    }

    /** Takes all system properties that begin with {@code tiproxy.}; the others are somebody else's. */
    public void readProperties(Map<String, String> properties) {
        new TreeMap<>(properties).forEach((name, value) -> {
            if (name.startsWith(Key.PROPERTY_PREFIX) && !name.equals(CONFIG_FILE_PROPERTY)) {
                readNamed(name.substring(Key.PROPERTY_PREFIX.length()), path -> Origin.ofProperty(name, path), value);
            }
        });
    }

    /** Takes a key's value by the key's path, which may be wrong, from arguments of the form {@code path=value}. */
    public void readArgument(String path, String value) {
        readNamed(path, known -> Origin.ofFlag(path, known), value);
    }

    private void readNamed(String path, Function<String, Origin> origin, String value) {
        @Nullable Key<?> key = keys.get(path);
        if (key != null && key.isSecret()) {
            problems.error(
                    origin.apply(path),
                    "a secret, and everybody on the machine can read a command line: give " + path + Key.FILE_SUFFIX);
        } else if (isKey(path)) {
            acceptPath(path, RawValue.text(value, origin.apply(path)));
        } else {
            problems.error(origin.apply(""), "unknown key" + hint(path));
        }
    }

    /** Takes a list that the command line gives as separate words. */
    public void readWords(Key<List<String>> key, String shownName, List<String> words) {
        Origin origin = Origin.ofFlag(shownName, key.path());
        List<RawValue> elements =
                words.stream().map(word -> RawValue.text(word, origin)).toList();
        accept(key, RawValue.array(elements, origin), origin);
    }

    /** What was read. */
    public Settings settings() {
        return settings;
    }

    private void readEnvironment(Map<String, String> environment) {
        Map<String, String> pathByVariable = new LinkedHashMap<>();
        keys.keySet().forEach(path -> pathByVariable.put(Key.variable(path), path));
        secretFiles.keySet().forEach(path -> pathByVariable.put(Key.variable(path), path));
        new TreeMap<>(environment).forEach((name, value) -> {
            if (!name.startsWith(Key.VARIABLE_PREFIX)
                    || name.equals(CONFIG_FILE_VARIABLE)
                    || SERVICE_LINK.matcher(name).matches()) {
                return;
            }
            @Nullable String path = pathByVariable.get(name);
            if (path == null && isIgnoredVariable(name)) {
                problems.warning(Origin.ofVariable(name, ""), "ignored, because it does not apply here");
            } else if (path == null) {
                @Nullable String nearest = NearestName.find(name, pathByVariable.keySet());
                problems.error(
                        Origin.ofVariable(name, ""),
                        "unknown variable" + (nearest == null ? "" : "; did you mean " + nearest + "?"));
            } else {
                Origin origin = Origin.ofVariable(name, path);
                acceptPath(path, RawValue.text(value, origin));
            }
        });
    }

    private boolean isIgnoredVariable(String name) {
        return ignored.stream()
                .map(Key::variable)
                .anyMatch(prefix -> name.equals(prefix) || name.startsWith(prefix + "_"));
    }

    private void acceptFromFile(String path, RawValue value) {
        if (isKey(path)) {
            acceptPath(path, value);
        } else if (isIgnored(path)) {
            ignoredFound.add(path);
        } else if (sections.contains(path)) {
            if (value.kind() != RawValue.Kind.TABLE) {
                problems.error(value.origin(), "expected a table [" + path + "], found " + value.kind().article);
            }
        } else {
            // The value is not shown: it may be a password under a mistyped name.
            String what = value.kind() == RawValue.Kind.TABLE ? "unknown table" : "unknown key";
            problems.error(value.origin(), what + hint(path));
        }
    }

    private void acceptPath(String path, RawValue value) {
        @Nullable Key<?> key = keys.get(path);
        if (key != null) {
            accept(key, value, value.origin());
            return;
        }
        @Nullable Key<?> secret = secretFiles.get(path);
        if (secret != null) {
            acceptSecretFile(secret, value);
        }
    }

    private void accept(Key<?> key, RawValue value, Origin origin) {
        @Nullable RawValue readable = null;
        try {
            key.read(value);
            readable = value;
        } catch (InvalidValueException e) {
            problems.error(origin, String.valueOf(e.getMessage()));
        }
        put(key, readable, origin);
    }

    private void acceptSecretFile(Key<?> key, RawValue value) {
        Origin origin = value.origin();
        @Nullable RawValue secret = null;
        try {
            Path file = ValueType.path("a file whose first line is the secret").read(value);
            String line = firstLine(file);
            if (line.isEmpty()) {
                problems.error(origin, value.shown() + "the first line of " + file + " is empty");
            } else {
                secret = RawValue.text(line, origin);
            }
        } catch (InvalidValueException e) {
            problems.error(origin, String.valueOf(e.getMessage()));
        } catch (NoSuchFileException e) {
            problems.error(origin, value.shown() + "no such file");
        } catch (IOException e) {
            problems.error(origin, value.shown() + "the file cannot be read");
        }
        put(key, secret, origin);
    }

    static String firstLine(Path file) throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            @Nullable String line = reader.readLine();
            return line == null ? "" : line;
        }
    }

    private void put(Key<?> key, @Nullable RawValue value, Origin origin) {
        if (!settings.put(key, value, origin)) {
            problems.error(origin, "give either " + key.path() + " or " + key.path() + Key.FILE_SUFFIX + ", not both");
        }
    }

    private boolean isKey(String path) {
        return keys.containsKey(path) || secretFiles.containsKey(path);
    }

    private boolean isIgnored(String path) {
        return ignored.stream().anyMatch(prefix -> path.equals(prefix) || path.startsWith(prefix + "."));
    }

    private void warnOfIgnored(String shownName) {
        if (!ignoredFound.isEmpty()) {
            problems.warning(
                    new Origin(Source.FILE, shownName, 0, "", null),
                    "ignored, because they do not apply here: " + String.join(", ", ignoredFound));
        }
    }

    /** A key with one letter wrong; else keys of that name in other sections; else the nearest key. */
    private String hint(String path) {
        List<String> known = new ArrayList<>(keys.keySet());
        known.addAll(secretFiles.keySet());
        @Nullable String nearest = NearestName.find(path, known);
        String name = lastSegment(path);
        List<String> elsewhere = keys.values().stream()
                .filter(key -> lastSegment(key.path()).equals(name) || name.equals(key.flagName()))
                .map(Key::path)
                .toList();
        boolean mistyped = nearest != null && NearestName.distance(path, nearest) == 1;
        if (!mistyped && !elsewhere.isEmpty()) {
            return "; there is " + String.join(", ", elsewhere);
        }
        return nearest == null ? "" : "; did you mean " + nearest + "?";
    }

    private static String lastSegment(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }
}

package org.tiproxy.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.ByteSize;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.IpNetwork;
import org.tiproxy.common.Secret;

/**
 * The description of one configuration key. Immutable; each package declares its own as constants:
 *
 * <pre>{@code
 * static final Key<Duration> START = Key.positiveDuration("supervisor.start", "how long the child may take")
 *         .byDefault("30s")
 *         .flag("start")
 *         .reloadable();
 * }</pre>
 *
 * <p>The environment variable that gives it is {@code TIPROXY_} and the path in upper case, with {@code _} for each
 * {@code .} and {@code -}; where system properties are read, it is {@code tiproxy.} and the path.
 *
 * @param <T> what values are read as
 */
public final class Key<T> {
    /** What is appended to a secret key's path to give a file that holds the secret. */
    static final String FILE_SUFFIX = "-file";

    static final String VARIABLE_PREFIX = "TIPROXY_";
    static final String PROPERTY_PREFIX = "tiproxy.";

    private final String path;
    private final ValueType<T> type;
    private final String meaning;
    private final @Nullable String defaultText;
    private final @Nullable String flag;
    private final boolean reloadable;

    private Key(
            String path,
            ValueType<T> type,
            String meaning,
            @Nullable String defaultText,
            @Nullable String flag,
            boolean reloadable) {
        this.path = path;
        this.type = type;
        this.meaning = meaning;
        this.defaultText = defaultText;
        this.flag = flag;
        this.reloadable = reloadable;
    }

    private Key(String path, ValueType<T> type, String meaning) {
        this(path, type, meaning, null, null, false);
    }

    /** Text that is not empty. */
    public static Key<String> string(String path, String meaning) {
        return new Key<>(path, ValueType.string(), meaning);
    }

    /** A password or token; it can also be given as {@code <path>-file}, the path of a file whose first line it is. */
    public static Key<Secret> secret(String path, String meaning) {
        return new Key<>(path, ValueType.secret(), meaning);
    }

    /** An integer from {@code min} to {@code max}. */
    public static Key<Integer> integer(String path, int min, int max, String meaning) {
        return new Key<>(path, ValueType.integer(min, max), meaning);
    }

    /** True or false. */
    public static Key<Boolean> bool(String path, String meaning) {
        return new Key<>(path, ValueType.bool(), meaning);
    }

    /** A duration in Go's notation, zero included. */
    public static Key<Duration> duration(String path, String meaning) {
        return new Key<>(path, ValueType.duration(), meaning);
    }

    /** A duration in Go's notation, zero excluded. */
    public static Key<Duration> positiveDuration(String path, String meaning) {
        return new Key<>(path, ValueType.positiveDuration(), meaning);
    }

    /** A duration in Go's notation, or {@code word}, which is read as {@code value}. */
    public static Key<Duration> durationOr(String path, String word, Duration value, String meaning) {
        return new Key<>(path, ValueType.durationOr(word, value), meaning);
    }

    /** A whole number of seconds or a duration in Go's notation. */
    public static Key<Duration> secondsOrDuration(String path, String meaning) {
        return new Key<>(path, ValueType.secondsOrDuration(), meaning);
    }

    /** A number of bytes, with or without a unit. */
    public static Key<ByteSize> byteSize(String path, String meaning) {
        return new Key<>(path, ValueType.byteSize(), meaning);
    }

    /** A whole number of megabytes, or a size with its unit. */
    public static Key<ByteSize> megabytesOrSize(String path, String meaning) {
        return new Key<>(path, ValueType.megabytesOrSize(), meaning);
    }

    /** An address to listen on; port 0 asks the system for a free one. */
    public static Key<HostPort> address(String path, String meaning) {
        return new Key<>(path, ValueType.address(), meaning);
    }

    /** An address to listen on, or {@code off}, which is read as empty. */
    public static Key<Optional<HostPort>> addressOrOff(String path, String meaning) {
        return new Key<>(path, ValueType.addressOrOff(), meaning);
    }

    /** Addresses to connect to. */
    public static Key<List<HostPort>> addresses(String path, String meaning) {
        return new Key<>(path, ValueType.listOf(ValueType.addressToConnectTo(), "host:port"), meaning);
    }

    /** IP addresses and ranges of them. */
    public static Key<List<IpNetwork>> networks(String path, String meaning) {
        return new Key<>(path, ValueType.listOf(ValueType.network(), "addresses or ranges"), meaning);
    }

    /** Texts. */
    public static Key<List<String>> strings(String path, String meaning) {
        return new Key<>(path, ValueType.listOf(ValueType.anyString(), "strings"), meaning);
    }

    /** A path; a relative one in the file is relative to the file's folder, elsewhere to the program's. */
    public static Key<Path> path(String path, String what, String meaning) {
        return new Key<>(path, ValueType.path(what), meaning);
    }

    /** A URL that begins with {@code http://}. */
    public static Key<URI> httpUrl(String path, String meaning) {
        return new Key<>(path, ValueType.httpUrl(), meaning);
    }

    /** Tables of the same kind, an array of tables in the file. */
    public static Key<List<ConfigTable>> tables(String path, String meaning) {
        return new Key<>(path, ValueType.listOf(ValueType.table(), "tables [[" + path + "]] in the file"), meaning);
    }

    /** One of the constants, by its name in lower case. */
    public static <E extends Enum<E>> Key<E> choice(String path, Class<E> constants, String meaning) {
        return new Key<>(path, ValueType.choice(constants), meaning);
    }

    /** One of the constants, by its name in lower case, or empty text for {@code whenEmpty}. */
    public static <E extends Enum<E>> Key<E> choiceOrEmpty(
            String path, Class<E> constants, E whenEmpty, String meaning) {
        return new Key<>(path, ValueType.choiceOrEmpty(constants, whenEmpty), meaning);
    }

    /** One of some words. */
    public static Key<String> word(String path, List<String> words, String meaning) {
        return new Key<>(path, ValueType.word(words), meaning);
    }

    /** The same key with a default. */
    public Key<T> byDefault(String text) {
        return new Key<>(path, type, meaning, text, flag, reloadable);
    }

    /**
     * The same key with a command-line flag.
     *
     * @throws IllegalStateException for a secret: everybody on the machine can read a command line
     */
    public Key<T> flag(String name) {
        if (isSecret()) {
            throw new IllegalStateException(path + " is a secret and must not be a flag");
        }
        return new Key<>(path, type, meaning, defaultText, name, reloadable);
    }

    /** The same key, whose value can be changed while the program runs. */
    public Key<T> reloadable() {
        return new Key<>(path, type, meaning, defaultText, flag, true);
    }

    /** The dotted path, as in {@code supervisor.idle}. */
    public String path() {
        return path;
    }

    /** What the value means, with its unit, as a phrase for the documentation. */
    public String meaning() {
        return meaning;
    }

    /** A word for the type: {@code duration}, {@code host:port}. */
    public String typeName() {
        return type.name();
    }

    /** What is used where no source gives the key; null for nothing. */
    public @Nullable String defaultText() {
        return defaultText;
    }

    /** The flag's name without dashes; null if it has none. */
    public @Nullable String flagName() {
        return flag;
    }

    /** Whether the value can be changed while the program runs. */
    public boolean isReloadable() {
        return reloadable;
    }

    /** Whether the value must never be shown. */
    public boolean isSecret() {
        return type.isSecret();
    }

    /** The environment variable that gives the key. */
    public String variable() {
        return variable(path);
    }

    static String variable(String path) {
        return VARIABLE_PREFIX + path.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    T read(RawValue value) throws InvalidValueException {
        return type.read(value);
    }

    /** What a message says was expected. */
    public String expected() {
        return type.expected();
    }

    /** The path. */
    @Override
    public String toString() {
        return path;
    }
}

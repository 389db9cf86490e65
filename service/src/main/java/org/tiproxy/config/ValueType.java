package org.tiproxy.config;

import static org.tiproxy.config.RawValue.Kind.ARRAY;
import static org.tiproxy.config.RawValue.Kind.BOOLEAN;
import static org.tiproxy.config.RawValue.Kind.INTEGER;
import static org.tiproxy.config.RawValue.Kind.STRING;
import static org.tiproxy.config.RawValue.Kind.TEXT;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.tiproxy.common.ByteSize;
import org.tiproxy.common.GoDuration;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.IpNetwork;
import org.tiproxy.common.Secret;

/**
 * What a key's values look like and how they are read.
 *
 * @param name a word for help texts: {@code duration}, {@code host:port}
 * @param expected what a message says was expected
 * @param kinds which kinds of TOML values are right; text from flags and variables always is
 * @param parser reads a value of a right kind
 */
record ValueType<T>(String name, String expected, Set<RawValue.Kind> kinds, Parser<T> parser) {

    private static final String DURATION = "a duration such as 30s, 500ms or 1m30s";
    private static final String ADDRESS = "host:port such as 127.0.0.1:4000";

    /** Reads a value; an {@link IllegalArgumentException} says with a phrase, or without, why it cannot. */
    @FunctionalInterface
    interface Parser<T> {
        T parse(RawValue value) throws InvalidValueException;
    }

    T read(RawValue value) throws InvalidValueException {
        if (value.kind() != TEXT && !kinds.contains(value.kind())) {
            throw new InvalidValueException(shown(value) + "expected " + expected + ", found " + value.kind().article);
        }
        try {
            return parser.parse(value);
        } catch (IllegalArgumentException e) {
            String reason = e.getMessage() == null || isSecret() ? "" : " (" + e.getMessage() + ")";
            throw new InvalidValueException(shown(value) + "expected " + expected + reason);
        }
    }

    boolean isSecret() {
        return name.equals("secret");
    }

    private String shown(RawValue value) {
        return isSecret() ? "" : value.shown();
    }

    private static IllegalArgumentException unexpected() {
        return new IllegalArgumentException();
    }

    static ValueType<String> string() {
        return new ValueType<>("text", "a string", Set.of(STRING), value -> {
            if (value.text().isEmpty()) {
                throw new IllegalArgumentException("empty");
            }
            return value.text();
        });
    }

    /** Text that may be empty, as a program's argument may be. */
    static ValueType<String> anyString() {
        return new ValueType<>("text", "a string", Set.of(STRING), RawValue::text);
    }

    static ValueType<Secret> secret() {
        return new ValueType<>("secret", "a string that is not empty", Set.of(STRING), value -> {
            if (value.text().isEmpty()) {
                throw unexpected();
            }
            return new Secret(value.text());
        });
    }

    static ValueType<Integer> integer(int min, int max) {
        String range = max == Integer.MAX_VALUE ? "an integer from " + min : "an integer from " + min + " to " + max;
        return new ValueType<>("integer", range, Set.of(INTEGER), value -> {
            long number = Long.parseLong(checkDigits(value.text()));
            if (number < min || number > max) {
                throw unexpected();
            }
            return (int) number;
        });
    }

    /** Keeps parseLong's own message, which speaks of Java, out of ours. */
    private static String checkDigits(String text) {
        if (!text.matches("[+-]?[0-9]{1,18}")) {
            throw unexpected();
        }
        return text;
    }

    static ValueType<Boolean> bool() {
        return new ValueType<>("true or false", "true or false", Set.of(BOOLEAN), value -> switch (value.text()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw unexpected();
        });
    }

    static ValueType<Duration> duration() {
        return new ValueType<>("duration", DURATION, Set.of(STRING), value -> GoDuration.parse(value.text()));
    }

    static ValueType<Duration> positiveDuration() {
        return new ValueType<>("duration", DURATION + ", more than 0", Set.of(STRING), value -> {
            Duration duration = GoDuration.parse(value.text());
            if (duration.isZero()) {
                throw unexpected();
            }
            return duration;
        });
    }

    static ValueType<Duration> durationOr(String word, Duration meaning) {
        return new ValueType<>(
                "duration or " + word,
                DURATION + ", or " + word,
                Set.of(STRING),
                value -> value.text().equals(word) ? meaning : GoDuration.parse(value.text()));
    }

    static ValueType<Duration> secondsOrDuration() {
        return new ValueType<>(
                "seconds or duration", "whole seconds, or " + DURATION, Set.of(INTEGER, STRING), value -> {
                    boolean number = value.text().matches("[0-9]{1,9}");
                    return number ? Duration.ofSeconds(Long.parseLong(value.text())) : GoDuration.parse(value.text());
                });
    }

    static ValueType<ByteSize> byteSize() {
        return new ValueType<>(
                "size",
                "a size such as 4096, 64KB or 16MB",
                Set.of(INTEGER, STRING),
                value -> ByteSize.parse(value.text()));
    }

    static ValueType<ByteSize> megabytesOrSize() {
        return new ValueType<>(
                "MB or size", "whole megabytes, or a size such as 64KB or 1GB", Set.of(INTEGER, STRING), value -> {
                    boolean number = value.text().matches("[0-9]+");
                    return ByteSize.parse(number ? value.text() + "MB" : value.text());
                });
    }

    static ValueType<HostPort> address() {
        return new ValueType<>("host:port", ADDRESS, Set.of(STRING), value -> parseAddress(value.text()));
    }

    static ValueType<HostPort> addressToConnectTo() {
        return new ValueType<>("host:port", ADDRESS, Set.of(STRING), value -> {
            HostPort address = parseAddress(value.text());
            if (address.port() == 0) {
                throw new IllegalArgumentException("nothing listens on port 0");
            }
            return address;
        });
    }

    static ValueType<Optional<HostPort>> addressOrOff() {
        return new ValueType<>(
                "host:port or off",
                "host:port such as 127.0.0.1:9010, or off",
                Set.of(STRING),
                value -> value.text().equals("off") ? Optional.empty() : Optional.of(parseAddress(value.text())));
    }

    private static HostPort parseAddress(String text) {
        if (text.contains("/") || text.chars().anyMatch(Character::isWhitespace)) {
            throw new IllegalArgumentException("an address has no scheme, path or space");
        }
        try {
            return HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            // HostPort says "expected …" itself where it stands alone.
            String reason = String.valueOf(e.getMessage());
            throw new IllegalArgumentException(reason.replaceFirst("^expected ", "it needs "), e);
        }
    }

    static ValueType<IpNetwork> network() {
        return new ValueType<>(
                "address or range",
                "an IP address or a range such as 10.0.0.0/8",
                Set.of(STRING),
                value -> IpNetwork.parse(value.text()));
    }

    static ValueType<Path> path(String what) {
        return new ValueType<>("path", "the path of " + what, Set.of(STRING), value -> {
            if (value.text().isEmpty()) {
                throw new IllegalArgumentException("empty");
            }
            try {
                return value.origin().resolve(Path.of(value.text()));
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException(e.getReason(), e);
            }
        });
    }

    static ValueType<ConfigTable> table() {
        return new ValueType<>("tables", "a table in the file", Set.of(RawValue.Kind.TABLE), value -> {
            if (value.kind() == TEXT) {
                throw unexpected();
            }
            return new ConfigTable(value);
        });
    }

    static ValueType<URI> httpUrl() {
        return new ValueType<>("URL", "a URL such as http://127.0.0.1:3000/health", Set.of(STRING), value -> {
            try {
                URI url = new URI(value.text());
                if (!"http".equalsIgnoreCase(url.getScheme())) {
                    throw new IllegalArgumentException("only http:// is supported");
                }
                if (url.getHost() == null) {
                    throw new IllegalArgumentException("no host");
                }
                return url;
            } catch (URISyntaxException e) {
                throw new IllegalArgumentException(e.getReason(), e);
            }
        });
    }

    /** The constants' names in lower case. */
    static <E extends Enum<E>> ValueType<E> choice(Class<E> constants) {
        List<String> names = Arrays.stream(constants.getEnumConstants())
                .map(ValueType::choiceName)
                .toList();
        String name = String.join("|", names);
        return new ValueType<>(
                name,
                oneOf(names),
                Set.of(STRING),
                value -> Arrays.stream(constants.getEnumConstants())
                        .filter(nameIs(value.text()))
                        .findFirst()
                        .orElseThrow(ValueType::unexpected));
    }

    /** The constants' names in lower case; empty text is {@code whenEmpty}. */
    static <E extends Enum<E>> ValueType<E> choiceOrEmpty(Class<E> constants, E whenEmpty) {
        ValueType<E> choice = choice(constants);
        return new ValueType<>(
                choice.name,
                choice.expected,
                choice.kinds,
                value -> value.text().isEmpty() ? whenEmpty : choice.parser.parse(value));
    }

    static ValueType<String> word(List<String> words) {
        return new ValueType<>(String.join("|", words), oneOf(words), Set.of(STRING), value -> {
            if (!words.contains(value.text())) {
                throw unexpected();
            }
            return value.text();
        });
    }

    private static <E extends Enum<E>> Predicate<E> nameIs(String text) {
        return constant -> choiceName(constant).equals(text);
    }

    private static String choiceName(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String oneOf(List<String> names) {
        if (names.size() == 1) {
            return names.get(0);
        }
        int last = names.size() - 1;
        return names.stream().limit(last).collect(Collectors.joining(", ")) + " or " + names.get(last);
    }

    /** An array in the file, a comma-separated list in a flag or variable. */
    static <E> ValueType<List<E>> listOf(ValueType<E> element, String plural) {
        return new ValueType<>("list of " + element.name(), "a list of " + plural, Set.of(ARRAY), value -> {
            List<RawValue> raw = value.kind() == ARRAY ? value.elements() : split(value);
            List<E> values = new ArrayList<>();
            for (RawValue one : raw) {
                values.add(element.read(one));
            }
            return List.copyOf(values);
        });
    }

    private static List<RawValue> split(RawValue value) {
        if (value.text().isBlank()) {
            return List.of();
        }
        return Arrays.stream(value.text().split(",", -1))
                .map(text -> RawValue.text(text.strip(), value.origin()))
                .toList();
    }
}

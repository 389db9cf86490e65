package org.tiproxy.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Origin.Source;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/** Reads a TOML file into dotted paths and raw values, each with its line. */
final class TomlFile {
    private final Path file;
    private final String shownName;
    private final Origin namedBy;
    private final Predicate<String> isKey;
    private final Set<String> secretWords;
    private final Problems problems;
    private final BiConsumer<String, RawValue> values;

    /**
     * Prepares to read.
     *
     * @param shownName the file's name in messages
     * @param namedBy where the user named the file
     * @param isKey whether a dotted path is a key, so that a table in its place is a wrong value
     * @param secretWords words in lower case; what stands on a line with one of them is not shown
     * @param values is given every value, known or not, and every empty table
     */
    TomlFile(
            Path file,
            String shownName,
            Origin namedBy,
            Predicate<String> isKey,
            Set<String> secretWords,
            Problems problems,
            BiConsumer<String, RawValue> values) {
        this.file = file;
        this.shownName = shownName;
        this.namedBy = namedBy;
        this.isKey = isKey;
        this.secretWords = secretWords;
        this.problems = problems;
        this.values = values;
    }

    /** Reads as much as can be read; true if that was everything. */
    boolean read() {
        @Nullable String text = text();
        if (text == null) {
            return false;
        }
        TomlParseResult result = Toml.parse(text);
        List<String> lines = text.lines().toList();
        for (TomlParseError error : result.errors()) {
            problems.error(at(error.position(), ""), message(error, lines));
        }
        walk(result, "");
        return !result.hasErrors();
    }

    private @Nullable String text() {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            problems.error(namedBy, Problem.quote(shownName) + ": no such file");
        } catch (CharacterCodingException e) {
            problems.error(namedBy, Problem.quote(shownName) + ": cannot be read: it is not UTF-8 text");
        } catch (IOException e) {
            problems.error(namedBy, Problem.quote(shownName) + ": cannot be read: " + reason(e));
        }
        return null;
    }

    private String reason(IOException e) {
        if (Files.isDirectory(file)) {
            return "it is a folder";
        }
        return Files.isReadable(file) ? String.valueOf(e.getMessage()) : "permission denied";
    }

    private String message(TomlParseError error, List<String> lines) {
        TomlPosition position = error.position();
        String line = position.line() <= lines.size() ? lines.get(position.line() - 1) : "";
        String lowerCase = line.toLowerCase(Locale.ROOT);
        // The parser quotes what it stumbled over, which may be a password somebody forgot to quote.
        String detail = secretWords.stream().anyMatch(lowerCase::contains)
                ? "not shown because the line may hold a secret"
                : String.valueOf(error.getMessage());
        return "column " + position.column() + ": not valid TOML: " + detail;
    }

    private void walk(TomlTable table, String prefix) {
        for (String name : table.keySet()) {
            List<String> key = List.of(name);
            String path = prefix + Toml.joinKeyPath(key);
            Object value = table.get(key);
            TomlPosition position = table.inputPositionOf(key);
            boolean descend = value instanceof TomlTable inner && !inner.isEmpty() && !isKey.test(path);
            if (descend && value instanceof TomlTable inner) {
                walk(inner, path + ".");
            } else if (value != null) {
                values.accept(path, raw(value, at(position, path)));
            }
        }
    }

    private RawValue raw(Object value, Origin origin) {
        if (value instanceof TomlArray array) {
            List<RawValue> elements = new ArrayList<>();
            for (int i = 0; i < array.size(); i++) {
                elements.add(raw(array.get(i), at(array.inputPositionOf(i), origin.path())));
            }
            return RawValue.array(elements, origin);
        }
        if (value instanceof TomlTable table) {
            List<RawValue> fields = new ArrayList<>();
            for (String name : table.keySet()) {
                List<String> key = List.of(name);
                Object field = table.get(key);
                if (field != null) {
                    String path = origin.path() + "." + Toml.joinKeyPath(key);
                    fields.add(raw(field, at(table.inputPositionOf(key), path)));
                }
            }
            return new RawValue(RawValue.Kind.TABLE, "", fields, origin);
        }
        return new RawValue(kind(value), value.toString(), List.of(), origin);
    }

    private static RawValue.Kind kind(Object value) {
        Map<Class<?>, RawValue.Kind> kinds = Map.of(
                String.class, RawValue.Kind.STRING,
                Long.class, RawValue.Kind.INTEGER,
                Double.class, RawValue.Kind.FLOAT,
                Boolean.class, RawValue.Kind.BOOLEAN);
        return kinds.getOrDefault(value.getClass(), RawValue.Kind.DATE_TIME);
    }

    private Origin at(@Nullable TomlPosition position, String path) {
        int line = position == null ? 0 : position.line();
        return new Origin(
                Source.FILE, shownName, line, path, file.toAbsolutePath().getParent());
    }
}

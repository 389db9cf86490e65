package org.tiproxy.config;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;

/** One table of an array of tables, {@code [[users]]} in the file. Its values are read, and complained about, one by one. */
public final class ConfigTable {
    private final Origin origin;
    private final Map<String, RawValue> values = new LinkedHashMap<>();

    ConfigTable(RawValue table) {
        origin = table.origin();
        for (RawValue value : table.elements()) {
            String path = value.origin().path();
            values.put(path.substring(path.lastIndexOf('.') + 1), value);
        }
    }

    /** Where the table begins. */
    public Origin origin() {
        return origin;
    }

    /** Where a value stands; where the table begins if it is not given. */
    public Origin origin(String name) {
        RawValue value = values.get(name);
        return value == null ? origin : value.origin();
    }

    /** Whether the table has the value, rightly or wrongly. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** Complains about names that mean nothing. */
    public void allow(Set<String> names, Problems problems) {
        values.forEach((name, value) -> {
            if (!names.contains(name)) {
                @Nullable String nearest = NearestName.find(name, names);
                problems.error(
                        value.origin(), "unknown key" + (nearest == null ? "" : "; did you mean " + nearest + "?"));
            }
        });
    }

    /** A text; null if it is not given, or is something else, which is reported. */
    public @Nullable String text(String name, Problems problems) {
        RawValue value = values.get(name);
        if (value == null) {
            return null;
        }
        if (value.kind() != RawValue.Kind.STRING) {
            problems.error(value.origin(), "expected a string, found " + value.kind().article);
            return null;
        }
        return value.text();
    }

    /** One text or a list of them; empty if it is not given, or is something else, which is reported. */
    public List<String> texts(String name, Problems problems) {
        RawValue value = values.get(name);
        if (value == null) {
            return List.of();
        }
        List<RawValue> elements = value.kind() == RawValue.Kind.ARRAY ? value.elements() : List.of(value);
        for (RawValue element : elements) {
            if (element.kind() != RawValue.Kind.STRING) {
                problems.error(
                        element.origin(), "expected a string or a list of strings, found " + element.kind().article);
                return List.of();
            }
        }
        return elements.stream().map(RawValue::text).toList();
    }

    /** A secret; null if it is not given, or wrongly, which is reported without showing it. */
    public @Nullable Secret secret(String name, Problems problems) {
        String text = text(name, problems);
        return text == null ? null : new Secret(text);
    }

    /** The first line of the file that the value names; null if it is not given, or cannot be read, which is reported. */
    public @Nullable Secret secretFile(String name, Problems problems) {
        RawValue value = values.get(name);
        if (value == null) {
            return null;
        }
        try {
            Path file = ValueType.path("a file whose first line is the secret").read(value);
            String line = SettingsReader.firstLine(file);
            if (!line.isEmpty()) {
                return new Secret(line);
            }
            problems.error(value.origin(), value.shown() + "the first line of " + file + " is empty");
        } catch (InvalidValueException e) {
            problems.error(value.origin(), String.valueOf(e.getMessage()));
        } catch (NoSuchFileException e) {
            problems.error(value.origin(), value.shown() + "no such file");
        } catch (IOException e) {
            problems.error(value.origin(), value.shown() + "the file cannot be read");
        }
        return null;
    }
}

package org.tiproxy.config;

import java.nio.file.Path;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * Where a value comes from, for messages and for resolving relative paths. Origins sort by the order in which an operator
 * looks for mistakes: the file from top to bottom, the environment, system properties, the command line, what was not given at all.
 *
 * @param source the kind of source
 * @param name what to look for there: the file as the user named it, the variable, the flag; empty for a default
 * @param line the line in the file from 1 on, 0 where there is none
 * @param path the key's dotted path; empty when no single key is meant
 * @param folder what relative paths are relative to; null for the folder the program runs in
 */
public record Origin(
        Source source,
        String name,
        int line,
        String path,
        @Nullable Path folder) implements Comparable<Origin> {
    private static final Comparator<Origin> ORDER =
            Comparator.comparing(Origin::source).thenComparingInt(Origin::line);

    /** The kinds of sources; of two that give the same key, the one further down wins, and any wins over a default. */
    public enum Source {
        /** The TOML file. */
        FILE,
        /** A {@code TIPROXY_…} variable. */
        ENVIRONMENT,
        /** A system property of the JVM, {@code -Dtiproxy.…}. */
        PROPERTY,
        /** A command-line flag, or what the javaagent was given. */
        FLAG,
        /** Nobody gave it. */
        DEFAULT
    }

    static Origin ofDefault(String path) {
        return new Origin(Source.DEFAULT, "", 0, path, null);
    }

    /** A place on the command line; {@code path} is empty when it is no key's. */
    public static Origin ofFlag(String flag, String path) {
        return new Origin(Source.FLAG, flag, 0, path, null);
    }

    /** An environment variable; {@code path} is empty when it is no key's. */
    public static Origin ofVariable(String variable, String path) {
        return new Origin(Source.ENVIRONMENT, variable, 0, path, null);
    }

    /** A system property of the JVM; {@code path} is empty when it is no key's. */
    public static Origin ofProperty(String property, String path) {
        return new Origin(Source.PROPERTY, "-D" + property, 0, path, null);
    }

    Path resolve(Path path) {
        return folder == null ? path : folder.resolve(path);
    }

    @Override
    public int compareTo(Origin other) {
        return ORDER.compare(this, other);
    }

    /** How a message begins: {@code tiproxy.toml:7: proxy.adr}, {@code --idle}, {@code TIPROXY_JMX_ADDR}. */
    @Override
    public String toString() {
        if (source == Source.DEFAULT) {
            return path;
        }
        String place = line > 0 ? name + ":" + line : name;
        return source == Source.FILE && !path.isEmpty() ? place + ": " + path : place;
    }
}

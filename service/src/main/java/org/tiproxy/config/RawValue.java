package org.tiproxy.config;

import java.util.List;

/**
 * A value as its source gave it, before the key's type reads it.
 *
 * @param kind what the source says it is
 * @param text the value as text; empty for an array or a table
 * @param elements the elements of an array, or a table's values, each with its own path; empty otherwise
 * @param origin where it stands
 */
record RawValue(Kind kind, String text, List<RawValue> elements, Origin origin) {

    /** What a source says a value is. */
    enum Kind {
        /** A flag, a variable or a default: text that any type may read in its own way. */
        TEXT("text"),
        STRING("a string"),
        INTEGER("an integer"),
        FLOAT("a floating-point number"),
        BOOLEAN("a boolean"),
        DATE_TIME("a date or time"),
        ARRAY("an array"),
        TABLE("a table");

        final String article;

        Kind(String article) {
            this.article = article;
        }
    }

    static RawValue text(String text, Origin origin) {
        return new RawValue(Kind.TEXT, text, List.of(), origin);
    }

    static RawValue array(List<RawValue> elements, Origin origin) {
        return new RawValue(Kind.ARRAY, "", List.copyOf(elements), origin);
    }

    /** How a message shows it; an array or a table is too long to be shown. */
    String shown() {
        return switch (kind) {
            case TEXT, STRING -> Problem.quote(text) + ": ";
            case INTEGER, FLOAT, BOOLEAN, DATE_TIME -> text + ": ";
            case ARRAY, TABLE -> "";
        };
    }
}

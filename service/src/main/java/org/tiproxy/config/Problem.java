package org.tiproxy.config;

/**
 * One mistake in the configuration, or something worth knowing about it.
 *
 * @param severity whether the program can start all the same
 * @param origin where it is
 * @param message the bad value (never a secret), what was expected and what to do, on one line
 */
public record Problem(Severity severity, Origin origin, String message) {
    private static final int MAX_SHOWN = 120;

    /** Whether the program can start all the same. */
    public enum Severity {
        /** It cannot. */
        ERROR,
        /** It can. */
        WARNING
    }

    /** The text in quotes, on one line and not too long, as messages show values. */
    public static String quote(String value) {
        StringBuilder text = new StringBuilder("\"");
        value.codePoints().limit(MAX_SHOWN).forEach(c -> {
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\t' -> text.append("\\t");
                case '"', '\\' -> text.append('\\').appendCodePoint(c);
                default -> {
                    // A terminal must not obey what a configuration file says.
                    if (Character.isISOControl(c)) {
                        text.append(String.format("\\u%04x", c));
                    } else {
                        text.appendCodePoint(c);
                    }
                }
            }
        });
        return text.append(value.codePointCount(0, value.length()) > MAX_SHOWN ? "…\"" : "\"")
                .toString();
    }

    /** {@code place: message}. */
    @Override
    public String toString() {
        String place = origin.toString();
        return place.isEmpty() ? message : place + ": " + message;
    }
}

package org.tiproxy.common;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Durations as Go's {@code time.ParseDuration} reads and {@code time.Duration} prints them: {@code 30s}, {@code 1m30s},
 * {@code 1.5h}, {@code 500ms}. Units are {@code h}, {@code m}, {@code s}, {@code ms}, {@code us} (or {@code µs}) and
 * {@code ns}; only {@code 0} needs none. The range is Go's: 0 to 2^63-1 nanoseconds, about 292 years; negative durations
 * are not accepted because nothing here can last less than nothing.
 */
public final class GoDuration {
    private static final long MICROSECOND = 1_000;
    private static final long MILLISECOND = 1_000_000;
    private static final long SECOND = 1_000_000_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;

    private final String text;
    private int position;
    /** What the digits after a decimal point are to be divided by. */
    private double scale;

    private GoDuration(String text) {
        this.text = text;
    }

    /**
     * Reads a duration.
     *
     * @throws IllegalArgumentException with a phrase that says what is wrong, such as {@code no unit after "30"}
     */
    public static Duration parse(String text) {
        boolean negative = text.startsWith("-");
        String unsigned = negative || text.startsWith("+") ? text.substring(1) : text;
        if (unsigned.isEmpty()) {
            throw new IllegalArgumentException("no number");
        }
        long nanos = unsigned.equals("0") ? 0 : new GoDuration(unsigned).sum();
        if (negative && nanos > 0) {
            throw new IllegalArgumentException("negative");
        }
        return Duration.ofNanos(nanos);
    }

    private long sum() {
        long sum = 0;
        try {
            while (position < text.length()) {
                sum = Math.addExact(sum, term());
            }
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("longer than " + format(Duration.ofNanos(Long.MAX_VALUE)), e);
        }
        return sum;
    }

    /** One number with its unit. */
    private long term() {
        int start = position;
        long whole = digits();
        boolean anyDigits = position > start;
        double fraction = 0;
        scale = 1;
        if (position < text.length() && text.charAt(position) == '.') {
            position++;
            int afterPoint = position;
            fraction = fractionDigits();
            anyDigits |= position > afterPoint;
        }
        if (!anyDigits) {
            throw new IllegalArgumentException("no number before \"" + text.substring(start) + "\"");
        }
        String number = text.substring(start, position);
        String unit = unit();
        if (unit.isEmpty()) {
            throw new IllegalArgumentException("no unit after \"" + number + "\"");
        }
        long unitNanos = nanosOf(unit);
        long nanos = Math.multiplyExact(whole, unitNanos);
        // The same floating-point steps as Go, so that both round alike.
        return fraction == 0 ? nanos : Math.addExact(nanos, (long) (fraction * (unitNanos / scale)));
    }

    private long digits() {
        long value = 0;
        while (position < text.length() && isDigit(text.charAt(position))) {
            value = Math.addExact(Math.multiplyExact(value, 10L), text.charAt(position) - '0');
            position++;
        }
        return value;
    }

    /** Digits beyond what a long holds are too small to matter and only skipped. */
    private double fractionDigits() {
        long value = 0;
        boolean full = false;
        while (position < text.length() && isDigit(text.charAt(position))) {
            int digit = text.charAt(position) - '0';
            full |= value > (Long.MAX_VALUE - digit) / 10;
            if (!full) {
                value = value * 10 + digit;
                scale *= 10;
            }
            position++;
        }
        return value;
    }

    private String unit() {
        int start = position;
        while (position < text.length() && text.charAt(position) != '.' && !isDigit(text.charAt(position))) {
            position++;
        }
        return text.substring(start, position);
    }

    private static long nanosOf(String unit) {
        // Two letters look like the Greek mu: the micro sign and the letter itself.
        return switch (unit) {
            case "ns" -> 1;
            case "us", "\u00b5s", "\u03bcs" -> MICROSECOND;
            case "ms" -> MILLISECOND;
            case "s" -> SECOND;
            case "m" -> MINUTE;
            case "h" -> HOUR;
            default -> throw new IllegalArgumentException("unknown unit \"" + unit + "\"");
        };
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /**
     * Prints a duration: {@code 1h30m0s}, {@code 1.5s}, {@code 250ms}, {@code 0s}.
     *
     * @param duration from zero to 2^63-1 nanoseconds
     * @throws IllegalArgumentException if it is outside that range
     */
    public static String format(Duration duration) {
        @Nullable Long nanos = nanosOf(duration);
        if (nanos == null || nanos < 0) {
            throw new IllegalArgumentException(duration + " is outside the range of a Go duration");
        }
        if (nanos < SECOND) {
            return formatBelowSecond(nanos);
        }
        StringBuilder text = new StringBuilder();
        if (nanos >= HOUR) {
            text.append(nanos / HOUR).append('h');
        }
        if (nanos >= MINUTE) {
            text.append(nanos % HOUR / MINUTE).append('m');
        }
        return text.append(decimal(nanos % MINUTE, SECOND)).append('s').toString();
    }

    private static @Nullable Long nanosOf(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return null;
        }
    }

    private static String formatBelowSecond(long nanos) {
        if (nanos == 0) {
            return "0s";
        }
        if (nanos < MICROSECOND) {
            return nanos + "ns";
        }
        return nanos < MILLISECOND ? decimal(nanos, MICROSECOND) + "\u00b5s" : decimal(nanos, MILLISECOND) + "ms";
    }

    /** {@code nanos / unit} without trailing zeros. */
    private static String decimal(long nanos, long unit) {
        long rest = nanos % unit;
        if (rest == 0) {
            return Long.toString(nanos / unit);
        }
        String digits = Long.toString(unit + rest).substring(1);
        int end = digits.length();
        while (digits.charAt(end - 1) == '0') {
            end--;
        }
        return nanos / unit + "." + digits.substring(0, end);
    }
}

package org.tiproxy.common;

/**
 * A number of bytes, written as {@code 4096}, {@code 64KB} or {@code 300MB}. The units {@code B}, {@code KB}, {@code MB},
 * {@code GB} and {@code TB} are powers of 1024 and may also be written {@code K}, {@code KiB} and so on, in any case.
 *
 * @param bytes zero or more
 */
public record ByteSize(long bytes) {
    private static final String PREFIXES = "KMGT";

    /** Checks the range. */
    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative");
        }
    }

    /**
     * Reads a whole number with or without a unit.
     *
     * @throws IllegalArgumentException with a phrase that says what is wrong
     */
    public static ByteSize parse(String text) {
        int end = 0;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        if (end == 0) {
            throw new IllegalArgumentException("no whole number");
        }
        try {
            long number = Long.parseLong(text.substring(0, end));
            return new ByteSize(
                    Math.multiplyExact(number, unit(text.substring(end).strip())));
        } catch (NumberFormatException | ArithmeticException e) {
            throw new IllegalArgumentException("too large", e);
        }
    }

    private static long unit(String name) {
        if (name.isEmpty() || name.equalsIgnoreCase("B")) {
            return 1;
        }
        for (int i = 0; i < PREFIXES.length(); i++) {
            String prefix = PREFIXES.substring(i, i + 1);
            if (name.equalsIgnoreCase(prefix)
                    || name.equalsIgnoreCase(prefix + "B")
                    || name.equalsIgnoreCase(prefix + "iB")) {
                return 1L << (10 * (i + 1));
            }
        }
        throw new IllegalArgumentException("unknown unit \"" + name + "\"");
    }

    /** The largest unit that leaves no remainder: {@code 300MB}, {@code 1000B}. */
    @Override
    public String toString() {
        int power = 0;
        long number = bytes;
        while (power < PREFIXES.length() && number >= 1024 && number % 1024 == 0) {
            number /= 1024;
            power++;
        }
        return number + (power == 0 ? "B" : PREFIXES.substring(power - 1, power) + "B");
    }
}

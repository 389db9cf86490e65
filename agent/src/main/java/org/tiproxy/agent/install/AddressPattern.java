package org.tiproxy.agent.install;

import java.util.Locale;
import java.util.regex.Pattern;
import org.tiproxy.common.HostPort;

/**
 * Addresses by {@code host:port}, in which {@code *} stands for any text: {@code db1:3306}, {@code *:3307}, {@code
 * *.test:*}. Case does not matter. The host is compared as it was written: no name is looked up.
 *
 * @param text as the configuration has it
 */
record AddressPattern(String text, Pattern pattern) {

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException with a sentence that says what was expected
     */
    static AddressPattern parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1 || !text.substring(colon + 1).matches("[0-9*]{1,5}")) {
            throw new IllegalArgumentException("expected host:port, in which * may stand for any text");
        }
        return new AddressPattern(text, wildcard(text));
    }

    /** A pattern in which only {@code *} means something; it matches lower case. */
    static Pattern wildcard(String text) {
        StringBuilder regex = new StringBuilder();
        for (String literal : text.toLowerCase(Locale.ROOT).split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(literal));
        }
        return Pattern.compile(regex.toString());
    }

    boolean matches(HostPort address) {
        return pattern.matcher(address.toString().toLowerCase(Locale.ROOT)).matches();
    }
}

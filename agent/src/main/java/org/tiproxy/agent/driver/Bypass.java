package org.tiproxy.agent.driver;

import org.jspecify.annotations.Nullable;

/** A connection that has to stay the driver's own. */
final class Bypass extends Exception {
    private static final long serialVersionUID = 1;

    private final String detail;

    /**
     * A connection with something that the engine cannot do.
     *
     * @param reason a word or two that do not change from one connection to the next
     * @param detail what an operator wants to know besides; no secrets
     */
    Bypass(String reason, String detail) {
        // No stack trace: nothing has failed.
        super(reason, null, false, false);
        this.detail = detail;
    }

    String reason() {
        return String.valueOf(getMessage());
    }

    String detail() {
        return detail;
    }

    /** If the option is set. */
    static void ifSet(DriverOptions options, String name, String reason) throws Bypass {
        String value = options.text(name);
        if (value != null) {
            throw new Bypass(reason, name + "=" + value);
        }
    }

    /** If the option is set; its value may be a secret. */
    static void ifSetSecretly(DriverOptions options, String name, String reason) throws Bypass {
        if (options.text(name) != null) {
            throw new Bypass(reason, name);
        }
    }

    /**
     * If a password does not have the bytes that the engine would give it.
     *
     * @param encoding the driver's encoding of passwords; null if it is UTF-8
     */
    static void ifNotUtf8(String password, @Nullable String encoding) throws Bypass {
        boolean ascii = password.chars().allMatch(c -> c < 0x80);
        if (!ascii && encoding != null && !encoding.equalsIgnoreCase("UTF-8") && !encoding.equalsIgnoreCase("UTF8")) {
            throw new Bypass("password encoding", encoding);
        }
    }
}

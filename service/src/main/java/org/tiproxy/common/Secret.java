package org.tiproxy.common;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/** A password or token that does not show itself in logs, MBeans, messages or {@code toString}. */
public final class Secret {
    private final String value;

    /** Wraps {@code value}. */
    public Secret(String value) {
        this.value = value;
    }

    /** The secret itself: pass it on, never print it. */
    public String reveal() {
        return value;
    }

    /** Compares in a time that does not depend on where the two differ. */
    public boolean matches(String candidate) {
        return MessageDigest.isEqual(
                value.getBytes(StandardCharsets.UTF_8), candidate.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret && matches(secret.value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    /** Always {@code ***}. */
    @Override
    public String toString() {
        return "***";
    }
}

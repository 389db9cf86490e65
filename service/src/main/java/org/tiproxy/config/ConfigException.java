package org.tiproxy.config;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration cannot be used: everything that is wrong with it. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1;

    // Not part of the serial form: nobody sends this exception anywhere.
    private final transient List<Problem> errors;
    private final transient List<Problem> warnings;

    /** The errors, at least one, and the warnings found beside them. */
    public ConfigException(List<Problem> errors, List<Problem> warnings) {
        super(errors.stream().map(Problem::toString).collect(Collectors.joining("\n")), null, false, false);
        this.errors = List.copyOf(errors);
        this.warnings = List.copyOf(warnings);
    }

    /** What must be put right. */
    public List<Problem> errors() {
        return errors;
    }

    /** What else was noticed. */
    public List<Problem> warnings() {
        return warnings;
    }
}

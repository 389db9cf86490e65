package org.tiproxy.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Collects everything that is wrong before anything fails, so that a configuration is put right in one pass. Not
 * thread-safe.
 */
public final class Problems {
    private final List<Problem> found = new ArrayList<>();

    /** Adds an error. */
    public void error(Origin origin, String message) {
        found.add(new Problem(Problem.Severity.ERROR, origin, message));
    }

    /** Adds a warning. */
    public void warning(Origin origin, String message) {
        found.add(new Problem(Problem.Severity.WARNING, origin, message));
    }

    /** All errors, in the order in which an operator looks for them. */
    public List<Problem> errors() {
        return sorted(Problem.Severity.ERROR);
    }

    /** All warnings, in the same order. */
    public List<Problem> warnings() {
        return sorted(Problem.Severity.WARNING);
    }

    /**
     * Ends the collecting.
     *
     * @throws ConfigException if there is at least one error; it carries all errors and warnings
     */
    public void throwIfErrors() throws ConfigException {
        List<Problem> errors = errors();
        if (!errors.isEmpty()) {
            throw new ConfigException(errors, warnings());
        }
    }

    private List<Problem> sorted(Problem.Severity severity) {
        return found.stream()
                .filter(problem -> problem.severity() == severity)
                .sorted(Comparator.comparing(Problem::origin))
                .toList();
    }
}

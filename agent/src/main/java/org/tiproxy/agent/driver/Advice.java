package org.tiproxy.agent.driver;

import org.jspecify.annotations.Nullable;

/**
 * What is put into a method: a call of the hook with the point's name, the driver's class and these values.
 *
 * @param effect when the hook is called, and what its answer does
 * @param subject what comes after the class
 * @param name of the field, if that is the subject
 * @param arguments whether an array with all arguments comes last
 */
record Advice(Effect effect, Subject subject, @Nullable String name, boolean arguments) {
    /** When the hook is called. */
    enum Effect {
        /** Before the method, which is left out if there is an answer: that is what the method returns. */
        ANSWER,
        /** Before the method, which is left out if there is an answer; it returns null then, or nothing. */
        SKIP,
        /** Before the method, which runs as it is. */
        BEFORE,
        /** As before, and once more with no values after the method, however that ends. Not with a result. */
        AROUND
    }

    /** What the hook has to know besides the arguments. */
    enum Subject {
        NOTHING,
        THIS,
        SECOND_ARGUMENT,
        FIELD
    }

    static Advice of(Effect effect, Subject subject) {
        return new Advice(effect, subject, null, false);
    }

    static Advice ofField(Effect effect, String name) {
        return new Advice(effect, Subject.FIELD, name, false);
    }

    Advice withArguments() {
        return new Advice(effect, subject, name, true);
    }
}

package org.tiproxy.supervisor;

import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * What an operator asked for.
 *
 * @param kind what to do
 * @param result what came of it, in words
 */
record Operation(Kind kind, CompletableFuture<String> result) {
    enum Kind {
        START,
        STOP,
        RESTART,
        KILL,
        /** Keep the child warm. */
        HOLD,
        /** End a hold. */
        RELEASE;

        /** True if the wish is fulfilled by a child that is ready. */
        boolean wantsChild() {
            return this == START || this == RESTART || this == HOLD;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    Operation(Kind kind) {
        this(kind, new CompletableFuture<>());
    }
}

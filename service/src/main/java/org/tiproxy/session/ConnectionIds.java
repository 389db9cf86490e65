package org.tiproxy.session;

import java.util.function.LongFunction;

/**
 * Knows the sessions of the proxy, so that KILL finds its victim. Called within an event of the killing session; must
 * not block.
 */
@FunctionalInterface
public interface ConnectionIds {
    /**
     * The backend's thread id of another session of the same backend, to which a KILL is sent at once.
     *
     * @param virtualId the connection id that the victim's client knows; unsigned
     * @return 0 if the id is not one of ours, or the session has no backend connection, or one to another backend
     */
    long backendIdOf(long virtualId);

    /**
     * Has a KILL carried out at another backend, for a victim that {@link #backendIdOf} does not find because of that.
     *
     * @param statement what to execute there, given that backend's thread id
     * @return whether it was begun; its outcome is not known then
     */
    default boolean killElsewhere(long virtualId, LongFunction<String> statement) {
        return false;
    }
}

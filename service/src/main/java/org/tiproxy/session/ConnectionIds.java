package org.tiproxy.session;

/**
 * Knows the sessions of the proxy, so that KILL finds its victim. Called within an event of the killing session; must
 * not block.
 */
@FunctionalInterface
public interface ConnectionIds {
    /**
     * The backend's thread id of another session.
     *
     * @param virtualId the connection id that the victim's client knows; unsigned
     * @return 0 if the id is not one of ours, or the session has no backend connection
     */
    long backendIdOf(long virtualId);
}

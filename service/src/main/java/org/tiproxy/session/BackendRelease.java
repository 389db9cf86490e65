package org.tiproxy.session;

/**
 * In which condition a session gives its backend connection back.
 *
 * @param info the connection, and who was logged in last
 * @param reusable whether it may be cleaned and serve others; otherwise it must be closed
 * @param reason why it must be closed, for people; empty if it is reusable
 * @param multiStatementsChanged whether the session has used COM_SET_OPTION, which no cleaning command undoes
 */
public record BackendRelease(
        BackendConnectionInfo info, boolean reusable, String reason, boolean multiStatementsChanged) {}

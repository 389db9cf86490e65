package org.tiproxy.engine;

/** What the proxy does with new connections; {@link ProxyLifecycle} holds the transition table. */
public enum ProxyState {
    /** Created, not listening yet. */
    STARTING,
    /** Accepts and serves. */
    RUNNING,
    /** Listens but accepts nobody: new clients wait in the operating system's queue. Open connections go on. */
    PAUSED,
    /** Does not listen: new clients are refused. Open connections may finish, then stays so until resumed or stopped. */
    DRAINING,
    /** Ended for good. */
    STOPPED
}

package org.tiproxy.inprocess;

import org.tiproxy.engine.SharedConnections;

/** Hears of pools that come and go. Called on the thread that causes it; must not block. */
public interface PoolListener {
    /**
     * A pool was made.
     *
     * @param name whose connections they are: {@code db1:3306/user}
     */
    void poolOpened(String name, SharedConnections pool);

    /** A pool is no more. */
    void poolClosed(String name);
}

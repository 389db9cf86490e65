package org.tiproxy.inprocess;

import org.tiproxy.engine.SharedConnections;

/** Hears which pools there are: for their beans. Called on any thread, never under a lock. */
public interface PoolListener {
    /** Hears nothing. */
    PoolListener NONE = new PoolListener() {
        @Override
        public void poolOpened(String name, SharedConnections pool) {}

        @Override
        public void poolClosed(String name) {}
    };

    /**
     * The first connection of a user to an address was asked for.
     *
     * @param name {@code db1:3306/user}
     */
    void poolOpened(String name, SharedConnections pool);

    /** The pool is closed. */
    void poolClosed(String name);
}

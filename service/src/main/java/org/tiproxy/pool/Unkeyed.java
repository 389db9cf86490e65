package org.tiproxy.pool;

/** The only key of a pool whose connections are all alike. */
public enum Unkeyed {
    /** The key. */
    KEY
}

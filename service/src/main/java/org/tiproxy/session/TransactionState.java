package org.tiproxy.session;

/** What is known about a transaction of the session. */
public enum TransactionState {
    /** None is open. */
    NONE,
    /** One is open. */
    ACTIVE,
    /** An ERR, which says nothing about it, came while one was or may have been open. The next OK tells. */
    UNKNOWN
}

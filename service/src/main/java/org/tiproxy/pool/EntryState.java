package org.tiproxy.pool;

/** Where a connection of the pool is in its life; the transitions are in {@link Entry}. */
public enum EntryState {
    /** Being opened. */
    CONNECTING,
    /** Open, watched, and free to be lent. */
    IDLE,
    /** Being asked whether it still works. */
    PROBING,
    /** Lent to a caller. */
    IN_USE,
    /** Never lent again; counts until the factory has been told to close it. */
    CLOSING,
    /** Gone. */
    CLOSED;

    boolean mayBecome(EntryState next) {
        return switch (this) {
            case CONNECTING -> next == IDLE || next == CLOSED;
            case IDLE -> next == IN_USE || next == PROBING || next == CLOSING;
            case PROBING -> next == IDLE || next == CLOSING;
            case IN_USE -> next == IDLE || next == CLOSING;
            case CLOSING -> next == CLOSED;
            case CLOSED -> false;
        };
    }
}

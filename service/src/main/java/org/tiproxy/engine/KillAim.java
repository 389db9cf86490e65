package org.tiproxy.engine;

/**
 * Whose a pooled backend connection is, and whether a KILL has been aimed at it: such a connection is not lent again, because
 * the KILL may arrive when it is another session's. One for each connection. Thread-safe.
 */
public final class KillAim {
    private long holder;
    private boolean aimed;

    /** The connection is a session's now. */
    public synchronized void lentTo(long session) {
        holder = session;
        aimed = false;
    }

    /** Whether it is still that session's; if so, {@link #isKilledOnReturn} answers true when it is given back. */
    public synchronized boolean at(long session) {
        aimed |= holder == session;
        return holder == session;
    }

    /** The connection is no session's any more: whether somebody has aimed {@link #at} it meanwhile. */
    public synchronized boolean isKilledOnReturn() {
        holder = 0;
        return aimed;
    }
}

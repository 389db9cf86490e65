package org.tiproxy.supervisor;

import org.tiproxy.error.ProxyException;

/**
 * What {@link SupervisorStateMachine} wants done, in this order.
 *
 * <p>The machine calls these while an event is being handled, so an implementation only takes notes; the deeds follow
 * later, one after the other. {@code attempt} numbers the children; what is reported about a child carries the number
 * back, so that late news about an earlier child changes nothing.
 */
interface SupervisorEffects {
    /** Let a waiting visitor in. */
    void admit(Visit visit);

    /** Send a waiting visitor away. */
    void refuse(Visit visit, ProxyException cause);

    /** Tell an active visitor that its backend has gone. */
    void backendGone(Visit visit, String reason);

    /** Check the address, spawn the child and probe it. */
    void spawn(long attempt);

    /** Send SIGTERM to the child and its descendants and report when all are gone. */
    void terminate(long attempt);

    /** Send SIGKILL to the child and its descendants and report when all are gone. */
    void kill(long attempt);

    /** The child has ended by itself: kill what it left behind. Nothing is reported. */
    void sweep(long attempt);

    /** An operator's wish is settled. */
    void complete(Operation operation, String result);

    /** Something failed that an operator should read: the whole sentence, with the last output lines. */
    default void warn(String what) {}

    /** The state was written. */
    void stateChanged(SupervisorState from, SupervisorState to, String reason);

    /** No child is left and none will follow. */
    void closed();
}

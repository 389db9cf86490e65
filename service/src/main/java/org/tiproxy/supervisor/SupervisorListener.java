package org.tiproxy.supervisor;

/** Hears every step of the supervisor. */
@FunctionalInterface
public interface SupervisorListener {
    /** The state changed. Called on the supervisor's thread, one change after the other; must not block. */
    void stateChanged(StateChange change);
}

package org.tiproxy.supervisor;

/** The four states of the on-demand child; {@link SupervisorStateMachine} holds the transition table. */
public enum SupervisorState {
    /** No child runs. */
    CLOSED,
    /** The child was spawned and is not ready yet, or is about to be spawned. */
    STARTING,
    /** The child is ready and may be connected to. */
    OPENED,
    /** The child was told to end and has not ended yet. */
    SHUTDOWN
}

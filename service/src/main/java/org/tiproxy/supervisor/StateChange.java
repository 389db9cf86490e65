package org.tiproxy.supervisor;

import java.time.Instant;

/**
 * One step of the supervisor.
 *
 * @param from the state before
 * @param to the state after
 * @param reason why, as a phrase for people
 * @param time when
 */
public record StateChange(SupervisorState from, SupervisorState to, String reason, Instant time) {}

/**
 * Layer 2: one client's conversation as a state machine without I/O, threads or clock: events and bytes come in through
 * {@link org.tiproxy.session.SessionEngine}, ranges to forward and requests go out through
 * {@link org.tiproxy.session.SessionOutput}.
 *
 * <p>{@link org.tiproxy.session.PooledSessionEngine} is the same over a borrowed backend connection, which {@link
 * org.tiproxy.session.BackendLogin} has opened and {@link org.tiproxy.session.ConnectionCleaner} makes like new.
 */
@NullMarked
package org.tiproxy.session;

import org.jspecify.annotations.NullMarked;

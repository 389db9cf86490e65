/**
 * Layer 2: one client's conversation as a state machine without I/O, threads or clock: events and bytes come in through
 * {@link org.tiproxy.session.SessionEngine}, ranges to forward and requests go out through
 * {@link org.tiproxy.session.SessionOutput}.
 */
@NullMarked
package org.tiproxy.session;

import org.jspecify.annotations.NullMarked;

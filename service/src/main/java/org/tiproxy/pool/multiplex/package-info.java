/**
 * Many callers over few connections, for protocols whose requests and answers carry an id.
 *
 * <p>{@link org.tiproxy.pool.multiplex.MultiplexedConnection} matches answers to requests,
 * {@link org.tiproxy.pool.multiplex.MultiplexedPool} spreads requests over several such connections. The protocol is
 * described by a {@link org.tiproxy.pool.multiplex.FrameCodec}, the network is behind
 * {@link org.tiproxy.pool.multiplex.Transport}, of which {@link org.tiproxy.pool.multiplex.SelectorLoop} brings one.
 */
@NullMarked
package org.tiproxy.pool.multiplex;

import org.jspecify.annotations.NullMarked;

/**
 * Layer 3, and a library of its own: bounded pools of connections to one or several addresses, for any protocol.
 *
 * <p>{@link org.tiproxy.pool.ConnectionPool} lends connections that are all alike.
 * {@link org.tiproxy.pool.KeyedPool} is the same pool for connections that are not: a key says what has to match (an
 * identity, negotiated capabilities, TLS), the bound per address is over all keys, and an idle connection of another key
 * is closed to make room. {@link org.tiproxy.pool.multiplex.MultiplexedPool} is for protocols whose requests carry ids,
 * so that many callers share one connection.
 *
 * <p>How the pieces fit together. All decisions are made under one short lock by {@code PoolCore}, which never calls
 * anybody while it holds it: connecting, probing, closing and completing a caller's future are collected and done after
 * it is released. In front of it, {@code IdleSlots} keeps one idle connection per group of threads, so that acquire and
 * release need no lock while nobody waits and there is but one address. A waiter closes that short cut
 * ({@code PoolCore.calm}) before it looks for an idle connection, and a releaser looks at it after it has parked one:
 * one of the two always sees the other, so that no waiter is lost and none is overtaken.
 *
 * <p>Order. Waiters with the same key are served first come, first served. With several keys a returned connection may go
 * to a later waiter with its key, but no waiter is passed over more than {@code PoolCore.MAX_BYPASS} times; then the
 * returned connection is closed to make room for what the first one needs. Idle connections are lent last in, first out.
 */
@NullMarked
package org.tiproxy.pool;

import org.jspecify.annotations.NullMarked;

package org.tiproxy.pool;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/**
 * One connection at one moment.
 *
 * @param id unique within the pool
 * @param address where it goes
 * @param key what it can be used for; {@link Unkeyed#KEY} if all are alike
 * @param state what it does; a connection that is just changing hands may be seen as either
 * @param age since it was asked for
 * @param uses how often it was lent
 * @param inState how long it has been lent or idle; zero in other states
 * @param connection the connection itself, to be looked at and no more; null while it is being opened
 */
public record ConnectionInfo(
        long id,
        HostPort address,
        Object key,
        EntryState state,
        Duration age,
        long uses,
        Duration inState,
        @Nullable Object connection) {}

package org.tiproxy.net;

import org.jspecify.annotations.Nullable;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.KnownUsers;

/**
 * Whether and how backend connections are kept and shared.
 *
 * @param mode what is pooled
 * @param pool bounds and time-outs
 * @param trustsPlainNetworks whether nobody can listen to clients without TLS, wherever they come from
 * @param users whom the proxy authenticates by itself; null if backends authenticate all clients
 */
public record PoolingConfig(
        Mode mode,
        PoolConfig pool,
        boolean trustsPlainNetworks,
        @Nullable KnownUsers users) {
    /** What is pooled. */
    public enum Mode {
        /** Nothing: each session has a backend connection of its own. */
        OFF,
        /** MySQL connections, for the length of a session. */
        SESSION
    }

    /** No pool. */
    public static final PoolingConfig OFF = new PoolingConfig(Mode.OFF, PoolConfig.DEFAULT, false, null);
}

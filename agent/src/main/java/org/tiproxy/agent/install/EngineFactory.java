package org.tiproxy.agent.install;

import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.pool.PoolConfig;

/** Makes the engine when the first connection is redirected. */
@FunctionalInterface
interface EngineFactory {
    /**
     * Makes it.
     *
     * @param pool how connections are kept
     * @param backends where an address leads
     * @param listener hears of each pool
     */
    DriverProxy create(PoolConfig pool, Backends backends, PoolListener listener);
}

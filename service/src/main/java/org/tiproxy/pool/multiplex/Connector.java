package org.tiproxy.pool.multiplex;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.HostPort;

/** Opens the connections that requests are multiplexed over. */
@FunctionalInterface
public interface Connector {
    /**
     * Opens one, without blocking.
     *
     * @param timeout how long it may take; the future is cancelled at about that time. Who completes it must close the
     *     connection when {@link CompletableFuture#complete} answers false
     */
    CompletableFuture<Transport> connect(HostPort address, Duration timeout);
}

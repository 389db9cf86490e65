package org.tiproxy.pool;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.tiproxy.common.HostPort;

/**
 * A {@link KeyedConnectionFactory} for connections that are all alike.
 *
 * @param <C> the connection
 */
public interface ConnectionFactory<C> extends KeyedConnectionFactory<Unkeyed, C> {
    /**
     * Opens a connection; see {@link KeyedConnectionFactory#connect}.
     *
     * @param timeout how long it may take
     */
    CompletableFuture<C> connect(HostPort address, Duration timeout);

    @Override
    default CompletableFuture<C> connect(Unkeyed key, HostPort address, Duration timeout) {
        return connect(address, timeout);
    }
}

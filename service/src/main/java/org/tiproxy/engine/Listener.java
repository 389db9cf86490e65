package org.tiproxy.engine;

import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyException;

/** The listening socket, as the life cycle drives it. Calls come one at a time. */
public interface Listener {
    /**
     * Binds and accepts. Blocks until the address is bound.
     *
     * @throws ProxyException if it cannot be bound, with the address and what to do
     */
    void open() throws ProxyException;

    /** Whether new connections are accepted or left in the operating system's queue. */
    void accept(boolean accept);

    /** Stops listening; open connections stay. Blocks until the port is free. */
    void close();

    /** The address that is or was bound, with the port the system chose; the configured one before that. */
    HostPort address();

    /** Connections whose client is not logged in yet; those that wait for a backend are not among them. */
    default int halfOpenLogins() {
        return 0;
    }

    /** Connections from trusted addresses that did not begin with a PROXY header, or with a broken one. */
    default long badProxyHeadersTotal() {
        return 0;
    }
}

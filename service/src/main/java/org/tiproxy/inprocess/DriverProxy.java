package org.tiproxy.inprocess;

import java.io.IOException;

/** Opens connections for drivers; one per process. Thread-safe. */
public interface DriverProxy {
    /**
     * Begins a conversation. Without an idle connection to the backend in the pool, one is opened now, so that a backend
     * that cannot be reached is found out at the same point as without the proxy.
     *
     * @throws UnsupportedAccountException if the engine cannot log the user in, and the driver may try
     * @throws IOException as a socket's {@code connect} does
     */
    DriverConnection open(DriverLogin login) throws IOException;
}

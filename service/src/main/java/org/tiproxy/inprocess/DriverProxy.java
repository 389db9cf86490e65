package org.tiproxy.inprocess;

import java.io.IOException;

/** Opens connections; one per process. Thread-safe. */
@FunctionalInterface
public interface DriverProxy {
    /**
     * Opens a connection.
     *
     * @throws IOException if the backend cannot be reached or does not let the user in
     */
    DriverConnection open(DriverLogin login) throws IOException;
}

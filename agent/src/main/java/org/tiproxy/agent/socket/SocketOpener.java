package org.tiproxy.agent.socket;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.install.Redirector;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.UnsupportedAccountException;

/** Where an {@link EngineSocket} gets its bytes from. One for each socket. */
public interface SocketOpener {
    /**
     * Opens the connection.
     *
     * @param address what the driver connects to; may be unresolved
     * @param timeout zero for no limit of the driver's
     * @return null if the driver shall connect by itself
     * @throws UnsupportedAccountException if the engine cannot log the user in
     * @throws IOException if the backend cannot be reached
     */
    @Nullable
    DriverConnection open(InetSocketAddress address, Duration timeout) throws IOException;

    /** Whether a connection that the engine cannot open would go to the very address that the driver connects to. */
    boolean isSameAddress();

    /** The driver has connected by itself, because the engine cannot log the user in. */
    void turnedBack(UnsupportedAccountException cause);

    /** The driver has connected by itself, although it was to go through the engine. See {@link Redirector}. */
    void failedOpen(Throwable cause);
}

package org.tiproxy.cli;

import org.tiproxy.app.TiProxyConfig;

/** Runs the service; the seam by which tests see what would be started. */
@FunctionalInterface
public interface Launcher {
    /**
     * Starts the service and returns when it has ended as it should.
     *
     * @throws Exception if it could not start or go on; the message is shown to the user as it is
     */
    void launch(TiProxyConfig config) throws Exception;
}

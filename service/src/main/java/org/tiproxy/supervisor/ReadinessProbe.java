package org.tiproxy.supervisor;

import java.io.Closeable;
import java.io.IOException;

/** Asks once whether the backend is ready. */
interface ReadinessProbe {
    /**
     * Connects and asks. Blocks for {@code timeoutMillis} per step at most.
     *
     * @return what remains to be closed without haste, after the good news was spread
     * @throws IOException if the backend is not ready; the message says why
     */
    Closeable ask(int timeoutMillis) throws IOException;

    /** The probe that the configuration names. */
    static ReadinessProbe of(SupervisorConfig config) {
        return switch (config.probe()) {
            case TCP -> new TcpProbe(config.address());
            case MYSQL -> new MySqlProbe(config.address());
            case HTTP -> new HttpProbe(config.httpProbe());
        };
    }
}

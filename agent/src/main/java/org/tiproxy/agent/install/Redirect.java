package org.tiproxy.agent.install;

import java.util.List;
import org.tiproxy.common.HostPort;

/**
 * A connection goes through the engine.
 *
 * @param address what the engine is asked for: the address of the driver's URL, which names the pool
 * @param backends where it really leads
 */
public record Redirect(HostPort address, List<HostPort> backends) {
    /** Copies the list. */
    public Redirect {
        backends = List.copyOf(backends);
    }

    /** To the very address. */
    public Redirect(HostPort address) {
        this(address, List.of(address));
    }

    /** Whether a rule leads it elsewhere: then the driver must not connect by itself to the address in its URL. */
    public boolean leadsElsewhere() {
        return !backends.equals(List.of(address));
    }
}

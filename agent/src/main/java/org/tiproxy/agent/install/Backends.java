package org.tiproxy.agent.install;

import java.util.List;
import org.tiproxy.common.HostPort;

/** Which backends stand behind an address that drivers name. Thread-safe. */
@FunctionalInterface
public interface Backends {
    /** At least one; the address itself where no rule says otherwise. */
    List<HostPort> of(HostPort address);
}

package org.tiproxy.agent.install;

import java.util.List;
import java.util.stream.Collectors;
import org.tiproxy.common.HostPort;

/**
 * Where connections to some addresses lead.
 *
 * @param from the addresses as drivers name them
 * @param to at least one; the engine spreads connections over several
 */
record RedirectRule(AddressPattern from, List<HostPort> to) {
    /** {@code db1:3306 -> 10.0.0.1:3306, 10.0.0.2:3306}. */
    @Override
    public String toString() {
        return from.text() + " -> " + to.stream().map(HostPort::toString).collect(Collectors.joining(", "));
    }
}

package org.tiproxy.backend;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * Where the clients' connections lead.
 *
 * @param addresses the backends' addresses: one, or several that connections are spread over
 */
public record BackendConfig(List<HostPort> addresses) {
    /** The backends' addresses. */
    public static final Key<List<HostPort>> INSTANCES = Key.addresses(
                    "backend.instances",
                    "where the backend listens; several addresses, which connections are spread over, need a pool;"
                            + " required")
            .flag("dest");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(INSTANCES);

    /** Checks that there is one. */
    public BackendConfig {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("no backend address");
        }
    }

    /** The first address. */
    public HostPort address() {
        return addresses.get(0);
    }

    /**
     * Reads the section; null if it does not name backends as it should, which is reported.
     *
     * @param soleBecause why there can be only one address; empty if there may be more
     */
    public static @Nullable BackendConfig from(Settings settings, Problems problems, String soleBecause) {
        @Nullable List<HostPort> instances = settings.find(INSTANCES);
        if (settings.isMissing(INSTANCES)) {
            problems.error(
                    settings.origin(INSTANCES),
                    "no backend was given: use --dest host:port, or instances in [backend]");
            return null;
        }
        if (instances == null) {
            return null;
        }
        if (instances.isEmpty() || (instances.size() > 1 && !soleBecause.isEmpty())) {
            problems.error(
                    settings.origin(INSTANCES),
                    "expected exactly one address, found " + instances.size()
                            + (instances.isEmpty() ? "" : ": " + soleBecause));
            return null;
        }
        if (Set.copyOf(instances).size() < instances.size()) {
            problems.error(settings.origin(INSTANCES), "an address stands there twice");
            return null;
        }
        return new BackendConfig(instances);
    }
}

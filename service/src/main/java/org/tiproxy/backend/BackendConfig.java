package org.tiproxy.backend;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * Where the clients' connections lead.
 *
 * @param address the backend's address
 */
public record BackendConfig(HostPort address) {
    /** The backends' addresses; exactly one for now. */
    public static final Key<List<HostPort>> INSTANCES = Key.addresses(
                    "backend.instances", "where the backend listens; exactly one address at present; required")
            .flag("dest");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(INSTANCES);

    /** Reads the section; null if it does not name exactly one backend, which is reported. */
    public static @Nullable BackendConfig from(Settings settings, Problems problems) {
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
        if (instances.size() != 1) {
            problems.error(
                    settings.origin(INSTANCES),
                    "expected exactly one address, found " + instances.size() + "; only one is supported at present");
            return null;
        }
        return new BackendConfig(instances.get(0));
    }
}

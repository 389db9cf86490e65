package org.tiproxy.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendConfig;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.management.JmxConfig;
import org.tiproxy.management.JolokiaConfig;
import org.tiproxy.net.ProxyConfig;

/** Everything listens on an address of its own, and the proxy does not connect to itself. */
final class AddressRules {
    private static final Set<String> WILDCARDS = Set.of("", "0.0.0.0", "::", "0:0:0:0:0:0:0:0");

    private AddressRules() {}

    private record Listener(Key<?> key, HostPort address) {}

    static void check(Settings settings, Problems problems, @Nullable BackendConfig backend) {
        HostPort proxy = settings.get(ProxyConfig.ADDRESS);
        List<Listener> listeners = new ArrayList<>();
        listeners.add(new Listener(ProxyConfig.ADDRESS, proxy));
        settings.get(JmxConfig.ADDRESS).ifPresent(address -> listeners.add(new Listener(JmxConfig.ADDRESS, address)));
        settings.get(JolokiaConfig.ADDRESS)
                .ifPresent(address -> listeners.add(new Listener(JolokiaConfig.ADDRESS, address)));
        for (int i = 0; i < listeners.size(); i++) {
            for (int j = 0; j < i; j++) {
                checkPair(settings, problems, listeners.get(j), listeners.get(i));
            }
        }
        List<HostPort> backends = backend == null ? List.of() : backend.addresses();
        for (HostPort address : backends) {
            if (!leadsTo(address, proxy)) {
                continue;
            }
            problems.error(
                    settings.origin(BackendConfig.INSTANCES),
                    Problem.quote(address.toString()) + ": the proxy itself listens there ("
                            + ProxyConfig.ADDRESS.path() + " is " + proxy + ") and would connect to itself");
        }
    }

    private static void checkPair(Settings settings, Problems problems, Listener one, Listener other) {
        if (!clash(one.address, other.address)) {
            return;
        }
        // A default is never the mistake while the other address was given.
        boolean blameOther = settings.isSet(other.key) || !settings.isSet(one.key);
        Listener blamed = blameOther ? other : one;
        Listener taken = blameOther ? one : other;
        problems.error(
                settings.origin(blamed.key),
                Problem.quote(blamed.address.toString()) + ": taken by " + taken.key.path() + " (" + taken.address
                        + ")");
    }

    private static boolean clash(HostPort one, HostPort other) {
        boolean sameHost = isWildcard(one) || isWildcard(other) || host(one).equals(host(other));
        return one.port() != 0 && one.port() == other.port() && sameHost;
    }

    /** Whether a connection to {@code target} arrives at {@code listener}; other names of this machine are not known. */
    private static boolean leadsTo(HostPort target, HostPort listener) {
        boolean sameHost = isWildcard(listener)
                ? target.isLoopback() || isWildcard(target)
                : host(target).equals(host(listener)) || (isWildcard(target) && listener.isLoopback());
        return target.port() == listener.port() && sameHost;
    }

    private static boolean isWildcard(HostPort address) {
        return WILDCARDS.contains(address.host());
    }

    private static String host(HostPort address) {
        String host = address.host().toLowerCase(Locale.ROOT);
        return host.equals("localhost") ? "127.0.0.1" : host;
    }
}

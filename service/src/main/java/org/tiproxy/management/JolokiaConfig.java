package org.tiproxy.management;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * Jolokia's HTTP endpoint.
 *
 * @param address where it listens; null switches it off
 * @param user the name for HTTP basic authentication; null for none, which only a loopback address may have
 * @param password the password that belongs to {@code user}
 * @param allowedHosts further names that a request's Host header may carry, beside the bound address and, when that is
 *     loopback, {@code localhost}, {@code 127.0.0.1} and {@code [::1]}
 */
public record JolokiaConfig(
        @Nullable HostPort address,
        @Nullable String user,
        @Nullable Secret password,
        List<String> allowedHosts) {

    /** Where Jolokia listens. */
    public static final Key<Optional<HostPort>> ADDRESS = Key.addressOrOff(
                    "jolokia.addr",
                    "where Jolokia (JMX over HTTP) answers; another address than loopback needs user and password")
            .byDefault("127.0.0.1:8778");

    static final Key<String> USER =
            Key.string("jolokia.user", "the name for HTTP basic authentication; none = no authentication");
    static final Key<Secret> PASSWORD = Key.secret("jolokia.password", "the password that belongs to the name");
    static final Key<List<String>> ALLOWED_HOSTS = Key.strings(
                    "jolokia.allowed-hosts",
                    "further names that a request's Host header may carry, beside the bound address")
            .byDefault("");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(ADDRESS, USER, PASSWORD, ALLOWED_HOSTS);

    /** The same for a JVM that is somebody else's, where nothing listens unless it is asked for. */
    public static final List<Key<?>> KEYS_IN_APPLICATIONS =
            List.of(ADDRESS.byDefault("off"), USER, PASSWORD, ALLOWED_HOSTS);

    /** Reads the section in a JVM that is somebody else's. */
    public static JolokiaConfig inApplication(Settings settings, Problems problems) {
        JolokiaConfig config = from(settings, problems);
        return settings.isSet(ADDRESS) ? config : new JolokiaConfig(null, null, null, List.of());
    }

    /** Reads the section. */
    public static JolokiaConfig from(Settings settings, Problems problems) {
        AccessRules.check(settings, problems, ADDRESS, USER, PASSWORD);
        return new JolokiaConfig(
                settings.get(ADDRESS).orElse(null),
                settings.find(USER),
                settings.find(PASSWORD),
                settings.get(ALLOWED_HOSTS));
    }
}

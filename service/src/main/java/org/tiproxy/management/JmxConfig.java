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
 * The JMX connector.
 *
 * @param address where it listens (registry and server share the port); null switches it off
 * @param user the name a client must give; null for no authentication, which only a loopback address may have
 * @param password the password that belongs to {@code user}
 */
public record JmxConfig(
        @Nullable HostPort address,
        @Nullable String user,
        @Nullable Secret password) {

    /** Where the connector listens. */
    public static final Key<Optional<HostPort>> ADDRESS = Key.addressOrOff(
                    "jmx.addr", "where JMX clients connect; another address than loopback needs user and password")
            .byDefault("127.0.0.1:9010");

    static final Key<String> USER = Key.string("jmx.user", "the name a JMX client must give; none = no authentication");
    static final Key<Secret> PASSWORD = Key.secret("jmx.password", "the password that belongs to the name");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(ADDRESS, USER, PASSWORD);

    /** Reads the section. */
    public static JmxConfig from(Settings settings, Problems problems) {
        AccessRules.check(settings, problems, ADDRESS, USER, PASSWORD);
        return new JmxConfig(settings.get(ADDRESS).orElse(null), settings.find(USER), settings.find(PASSWORD));
    }
}

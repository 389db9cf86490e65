package org.tiproxy.management;

import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

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
        @Nullable Secret password) {}

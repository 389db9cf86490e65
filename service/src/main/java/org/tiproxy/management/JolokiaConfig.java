package org.tiproxy.management;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

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
        List<String> allowedHosts) {}

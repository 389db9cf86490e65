package org.tiproxy.net;

import java.time.Duration;
import org.tiproxy.common.HostPort;

/** placeholder */
public record ProxyConfig(
        HostPort address,
        int maxConnections,
        Duration idleTimeout,
        boolean keepAlive,
        Duration connectTimeout,
        int eventLoops,
        int backlog,
        NetworkTransport transport,
        Duration gracefulWait,
        Duration gracefulClose) {}

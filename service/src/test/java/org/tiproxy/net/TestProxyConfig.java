package org.tiproxy.net;

import java.time.Duration;
import org.tiproxy.common.HostPort;

/** How the proxies of these tests are configured. */
final class TestProxyConfig {
    private TestProxyConfig() {}

    /** A MySQL proxy on a free port of the loopback interface, with two event loops and without time-outs. */
    static ProxyConfig mysql(NetworkTransport transport) {
        return new ProxyConfig(
                new HostPort("127.0.0.1", 0),
                ProxyConfig.Protocol.MYSQL,
                0,
                Duration.ZERO,
                true,
                Duration.ofSeconds(5),
                2,
                128,
                transport,
                Duration.ZERO,
                Duration.ZERO);
    }
}

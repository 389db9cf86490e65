package org.tiproxy.net;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.IpNetwork;
import org.tiproxy.config.Key;
import org.tiproxy.config.Settings;

/**
 * The PROXY protocol, by which a proxy tells the next one, or the server, who its client is.
 *
 * @param towardsBackend what every connection to the backend begins with
 * @param trusted whose connections begin with a header, of version 1 or 2; from anybody else none is accepted
 */
public record ProxyProtocolConfig(Version towardsBackend, List<IpNetwork> trusted) {
    /** What is sent. */
    public enum Version {
        /** No header. */
        OFF,
        /** A binary header. */
        V2
    }

    static final Key<Version> TOWARDS_BACKEND = Key.choiceOrEmpty(
                    "proxy.proxy-protocol",
                    Version.class,
                    Version.OFF,
                    "`v2` begins each connection to the backend with a PROXY header that names the client; the backend must"
                            + " accept that from the proxy's address; empty is `off`")
            .byDefault("off");
    static final Key<List<IpNetwork>> TRUSTED = Key.networks(
                    "proxy.proxy-protocol-networks",
                    "the addresses from which every connection must begin with a PROXY header (version 1 or 2), whose"
                            + " source is then taken for the client's address; from other addresses none is accepted")
            .byDefault("");

    /** All keys of this part. */
    static final List<Key<?>> KEYS = List.of(TOWARDS_BACKEND, TRUSTED);

    /** Neither sent nor accepted. */
    public static final ProxyProtocolConfig OFF = new ProxyProtocolConfig(Version.OFF, List.of());

    static ProxyProtocolConfig from(Settings settings) {
        return new ProxyProtocolConfig(settings.get(TOWARDS_BACKEND), settings.get(TRUSTED));
    }

    /** Whether a connection from {@code peer} begins with a header. */
    boolean isExpectedFrom(@Nullable InetSocketAddress peer) {
        return peer != null && trusted.stream().anyMatch(network -> network.contains(peer.getAddress()));
    }
}

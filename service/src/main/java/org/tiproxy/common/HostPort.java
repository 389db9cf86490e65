package org.tiproxy.common;

import java.net.InetSocketAddress;

/**
 * A TCP address as people write it: {@code host:port}, {@code [::1]:port}, or {@code :port} for every local address.
 *
 * @param host a name or a literal address without brackets; empty for "every local address"
 * @param port 0 to 65535; 0 asks the system for a free port where that makes sense
 */
public record HostPort(String host, int port) {

    /** Checks the port's range. */
    public HostPort {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port " + port + " is not between 0 and 65535");
        }
    }

    /**
     * Reads {@code host:port}.
     *
     * @throws IllegalArgumentException with a sentence that says what was expected
     */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("expected host:port, found no ':'");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("expected an IPv6 address in brackets, as in [::1]:4000");
        }
        String digits = text.substring(colon + 1);
        if (digits.isEmpty() || digits.length() > 5 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw new IllegalArgumentException("expected a port between 0 and 65535 after the ':'");
        }
        return new HostPort(host, Integer.parseInt(digits));
    }

    /** The address of a bound or connected socket, with the literal IP (no reverse lookup). */
    public static HostPort of(InetSocketAddress address) {
        String host = address.isUnresolved()
                ? address.getHostString()
                : address.getAddress().getHostAddress();
        return new HostPort(host, address.getPort());
    }

    /** True if only this machine can reach the address: {@code localhost}, {@code 127.0.0.0/8}, {@code ::1}. */
    public boolean isLoopback() {
        if (host.equalsIgnoreCase("localhost")) {
            return true;
        }
        if (!isLiteral()) {
            // Looking a name up would ask DNS.
            return false;
        }
        InetSocketAddress address = resolve();
        return !address.isUnresolved() && address.getAddress().isLoopbackAddress();
    }

    /** True if the host is an IP address (or empty), so that {@link #resolve} asks nobody. */
    public boolean isLiteral() {
        return host.indexOf(':') >= 0 || host.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
    }

    /** Resolves the name, which may ask DNS; an empty host gives the wildcard address. */
    public InetSocketAddress resolve() {
        return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    }

    /** {@code host:port} as {@link #parse} reads it. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}

package org.tiproxy.management;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

/** What both management endpoints check before they listen, and what they say when they cannot. */
final class Listening {
    private Listening() {}

    /** The literal address to bind to, which may ask DNS. */
    static InetAddress resolve(String what, String key, HostPort wanted) throws IOException {
        InetSocketAddress resolved = wanted.resolve();
        if (resolved.isUnresolved()) {
            throw new IOException(what + " cannot listen on " + wanted + ": the name " + wanted.host()
                    + " does not resolve. Set " + key + " to a local address, or to \"off\".");
        }
        return resolved.getAddress();
    }

    /** Refuses to offer management to other machines without a login, and half a login anywhere. */
    static void requireLogin(
            String what,
            String section,
            HostPort wanted,
            InetAddress host,
            @Nullable String user,
            @Nullable Secret password)
            throws IOException {
        if ((user == null) != (password == null)) {
            throw new IOException(what + " needs both " + section + ".user and " + section + ".password, or neither.");
        }
        if (user == null && !host.isLoopbackAddress()) {
            throw new IOException(what + " will not listen on " + wanted
                    + " without authentication, because other machines can reach it. Set " + section + ".user and "
                    + section + ".password, or a loopback address.");
        }
    }

    /** The failure to bind, as a sentence that says what to do. */
    static IOException failed(String what, String key, HostPort wanted, IOException cause) {
        return new IOException(
                what + " cannot listen on " + wanted + ": " + cause.getMessage() + ". Set " + key
                        + " to another address, or to \"off\".",
                cause);
    }
}

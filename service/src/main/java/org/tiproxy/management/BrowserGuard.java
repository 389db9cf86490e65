package org.tiproxy.management;

import com.sun.net.httpserver.Headers;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps web pages from using the browser of somebody who can reach the endpoint. A browser sends requests for any page,
 * and to a loopback address no firewall stops it.
 *
 * <ul>
 *   <li><b>Host</b>: must be an address or a name of this endpoint, with any port. A page whose own name was made to
 *       resolve here (DNS rebinding) carries that name.
 *   <li><b>Origin</b>, and where it is absent <b>Referer</b>: must be the Host. Browsers send Origin with every POST
 *       and with every script's request that leaves its site, whatever the content type.
 *   <li><b>Sec-Fetch-Site</b>: must be {@code same-origin}, or {@code none} for what the user typed. An {@code <img>}
 *       or a link sends neither Origin nor, if the page asks for that, Referer.
 *   <li>A browser that sends none of the three may only read: old ones, and all of them over plain HTTP to an address
 *       that is not loopback. It is known by the {@code Mozilla/} in its User-Agent, which pages cannot change.
 * </ul>
 *
 * <p>Not protected: other programs and other users of the machine, which can send any header. Against these only a user
 * and a password help.
 */
final class BrowserGuard {
    static final String READ_ONLY_REASON = "A browser may only read here, because it does not say which page asks. Use"
            + " curl or another Jolokia client for operations.";

    /** What a request may do. */
    enum Access {
        /** Everything the policy allows. */
        FULL,
        /** Nothing that changes anything. */
        READ_ONLY,
        /** Nothing at all. */
        REFUSED
    }

    /**
     * The answer to one request.
     *
     * @param access what it may do
     * @param reason a sentence for the client, empty with full access
     */
    record Decision(Access access, String reason) {}

    private final Set<String> names = new HashSet<>();

    /**
     * Allows the given names beside the address that a connection came in on.
     *
     * @param boundHost the host as configured; empty for every address
     */
    BrowserGuard(String boundHost, List<String> allowedHosts) {
        names.add(canonical(boundHost));
        for (String host : allowedHosts) {
            names.add(canonical(host));
        }
    }

    /** Decides about a request that arrived at {@code local}. */
    Decision decide(Headers headers, InetAddress local) {
        String host = headers.getFirst("Host");
        if (host == null || !isAllowed(hostName(host), local)) {
            return refused("The request's Host header " + quoted(host) + " is not a name of this endpoint. Use its"
                    + " address, or add the name to jolokia.allowed-hosts.");
        }
        String site = headers.getFirst("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none")) {
            return refused("Requests that another site's page starts (Sec-Fetch-Site: " + site + ") are refused.");
        }
        String origin = headers.getFirst("Origin");
        if (origin == null) {
            origin = headers.getFirst("Referer");
        }
        if (origin != null && !isSameAuthority(origin, host)) {
            return refused("Requests that another site's page starts (from " + quoted(origin) + ") are refused.");
        }
        String agent = headers.getFirst("User-Agent");
        if (site == null && origin == null && agent != null && agent.contains("Mozilla/")) {
            return new Decision(Access.READ_ONLY, READ_ONLY_REASON);
        }
        return new Decision(Access.FULL, "");
    }

    private boolean isAllowed(String name, InetAddress local) {
        if (name.isEmpty()) {
            return false;
        }
        // A literal address cannot be rebound: the browser really went to this address.
        return names.contains(name)
                || name.equals(canonical(local.getHostAddress()))
                || (local.isLoopbackAddress()
                        && (name.equals("localhost") || name.equals("127.0.0.1") || name.equals(canonical("::1"))));
    }

    private static boolean isSameAuthority(String origin, String host) {
        try {
            URI uri = new URI(origin);
            String scheme = uri.getScheme();
            String authority = uri.getRawAuthority();
            if (scheme == null || authority == null) {
                return false;
            }
            String defaultPort = scheme.equalsIgnoreCase("https") ? ":443" : ":80";
            return withPort(authority, defaultPort).equals(withPort(host, defaultPort));
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private static String withPort(String authority, String defaultPort) {
        boolean hasPort = authority.lastIndexOf(':') > authority.lastIndexOf(']');
        return (hasPort ? authority : authority + defaultPort).toLowerCase(Locale.ROOT);
    }

    /** The host in canonical form, without the port. */
    private static String hostName(String hostHeader) {
        int colon = hostHeader.lastIndexOf(':');
        return canonical(colon > hostHeader.lastIndexOf(']') ? hostHeader.substring(0, colon) : hostHeader);
    }

    private static String canonical(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        if (name.startsWith("[") && name.endsWith("]")) {
            name = name.substring(1, name.length() - 1);
        }
        if (name.indexOf(':') >= 0) {
            return canonicalIpv6(name);
        }
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    private static String canonicalIpv6(String name) {
        try {
            // In brackets it is read as a literal or not at all: no DNS.
            String literal = InetAddress.getByName("[" + name + "]").getHostAddress();
            int scope = literal.indexOf('%');
            return scope < 0 ? literal : literal.substring(0, scope);
        } catch (UnknownHostException e) {
            return name;
        }
    }

    private static String quoted(@Nullable String value) {
        return value == null ? "(none)" : "\"" + value + "\"";
    }

    private static Decision refused(String reason) {
        return new Decision(Access.REFUSED, reason);
    }
}

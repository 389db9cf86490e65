package org.tiproxy.examples.bench;

import java.net.InetSocketAddress;

/** One of the ways to the echo server that are compared, and where it is entered. */
record Target(Kind kind, InetSocketAddress address) {
    /** The columns of the report, in their order. */
    enum Kind {
        DIRECT("direct"),
        HAPROXY("HAProxy"),
        TIPROXY("tiproxy");

        final String label;

        Kind(String label) {
            this.label = label;
        }
    }
}

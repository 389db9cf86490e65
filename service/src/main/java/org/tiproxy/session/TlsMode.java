package org.tiproxy.session;

/** Whether one leg of a session is encrypted. */
public enum TlsMode {
    /** Never: towards clients it is not offered, towards backends it is not asked for. */
    DISABLED,
    /** If the peer wants it (a client) or offers it (a backend). */
    PREFERRED,
    /** Always: a peer without TLS is refused. */
    REQUIRED
}

package org.tiproxy.net;

/** The states of a {@link TcpSession}, which holds the transition table. */
enum TcpSessionState {
    /** At the gate: the backend is not up yet. */
    WAITING,
    /** The TCP connection to the backend is being opened. */
    CONNECTING,
    /** Bytes flow. */
    RELAYING,
    /** What was received is still being written, then both sockets are closed. */
    CLOSING,
    /** Over; both sockets are closed and the session is off the registry. */
    CLOSED
}

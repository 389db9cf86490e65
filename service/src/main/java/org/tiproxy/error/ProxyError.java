package org.tiproxy.error;

/** Every way in which serving a client can fail, and who is to blame. */
public enum ProxyError {
    /** The on-demand child could not be started, exited while starting, or was not ready in time. */
    BACKEND_START_FAILED(ErrorSource.BACKEND),
    /** The start failed a moment ago and the back-off is not over. */
    BACKEND_START_BACKOFF(ErrorSource.BACKEND),
    /** Something that is not our child answers at the address where our child should listen. */
    BACKEND_ADDRESS_TAKEN(ErrorSource.BACKEND),
    /** The TCP connection to the backend failed, or TLS on it. */
    BACKEND_UNREACHABLE(ErrorSource.BACKEND),
    /** The backend's connection broke. */
    BACKEND_LOST(ErrorSource.BACKEND),
    /** The proxy has {@code max-connections} already. */
    TOO_MANY_CONNECTIONS(ErrorSource.PROXY),
    /** The proxy is stopping. */
    SHUTTING_DOWN(ErrorSource.PROXY),
    /** An operator closed the connection. */
    CLOSED_BY_OPERATOR(ErrorSource.PROXY),
    /** Nothing was sent in either direction for the connection's idle timeout. */
    IDLE_TIMEOUT(ErrorSource.PROXY),
    /** A trusted peer did not begin its connection with a PROXY header, or with a broken one. */
    BAD_PROXY_HEADER(ErrorSource.CLIENT),
    /** The client's connection broke. */
    CLIENT_LOST(ErrorSource.CLIENT),
    /** A defect of the proxy. */
    INTERNAL(ErrorSource.PROXY);

    private final ErrorSource source;

    ProxyError(ErrorSource source) {
        this.source = source;
    }

    /** Who is to blame. */
    public ErrorSource source() {
        return source;
    }
}

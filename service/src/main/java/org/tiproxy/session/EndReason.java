package org.tiproxy.session;

import org.tiproxy.error.ErrorSource;

/** Why a session ended. */
public enum EndReason {
    /** The client sent COM_QUIT. */
    CLIENT_QUIT(ErrorSource.CLIENT, Kind.NORMAL),
    /** The client closed its connection without COM_QUIT. */
    CLIENT_CLOSED(ErrorSource.CLIENT, Kind.ERROR),
    /** The client closed its connection before it was logged in. */
    CLOSED_BEFORE_LOGIN(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client did not log in in time, or the backend did not answer it in time. */
    LOGIN_TIMED_OUT(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client speaks HTTP. */
    SPEAKS_HTTP(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client started TLS without an SSLRequest. */
    SPEAKS_TLS(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client begins with a PROXY header, but its address is none of those that headers are accepted from. */
    SPEAKS_PROXY_PROTOCOL(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client must begin with a PROXY header: it came too late, or is broken. */
    BAD_PROXY_HEADER(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client sent something before the greeting: in MySQL the server speaks first. */
    SPOKE_FIRST(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** A packet of the login is larger than the limit. */
    LOGIN_PACKET_TOO_LARGE(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client sent more packets to log in than the limit. */
    TOO_MANY_LOGIN_PACKETS(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** A packet of the login has the wrong sequence id. */
    LOGIN_OUT_OF_ORDER(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client speaks the protocol from before version 4.1. */
    OLD_PROTOCOL(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** A packet of the login cannot be understood. */
    MALFORMED_LOGIN(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client wants no TLS, but must use it. */
    TLS_REQUIRED(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The client wants TLS, which was not offered. */
    TLS_NOT_OFFERED(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** TLS with the client could not be started. */
    CLIENT_TLS_FAILED(ErrorSource.CLIENT, Kind.HANDSHAKE),
    /** The backend, or the proxy itself, refused the login with an ERR, which the client has got. */
    LOGIN_REFUSED(ErrorSource.CLIENT, Kind.AUTHENTICATION),
    /** The authentication plugin cannot be used over the legs as they are encrypted. */
    AUTHENTICATION_IMPOSSIBLE(ErrorSource.PROXY, Kind.AUTHENTICATION),
    /** The client sent what the protocol does not allow in the command phase. */
    CLIENT_PROTOCOL_ERROR(ErrorSource.CLIENT, Kind.ERROR),
    /** There is no connection to the backend. */
    BACKEND_UNAVAILABLE(ErrorSource.BACKEND, Kind.ERROR),
    /** The backend sent an ERR in place of its greeting, or before the client was logged in. */
    BACKEND_REFUSED(ErrorSource.BACKEND, Kind.ERROR),
    /** TLS is required towards the backend, which does not offer it. */
    BACKEND_WITHOUT_TLS(ErrorSource.BACKEND, Kind.ERROR),
    /** The backend sent what cannot be a response. */
    BACKEND_PROTOCOL_ERROR(ErrorSource.BACKEND, Kind.ERROR),
    /** The backend closed its connection. */
    BACKEND_CLOSED(ErrorSource.BACKEND, Kind.ERROR),
    /** The backend announced with an ERR, which the client has got, that it closes its connection. */
    BACKEND_ENDED(ErrorSource.BACKEND, Kind.ERROR),
    /** Somebody who operates the proxy, or the proxy itself, ended the session. */
    KILLED(ErrorSource.PROXY, Kind.NORMAL),
    /** The client sent no command for the proxy's idle timeout. */
    IDLE_TIMEOUT(ErrorSource.PROXY, Kind.NORMAL),
    /** The proxy has as many connections as it may have already. */
    TOO_MANY_CONNECTIONS(ErrorSource.PROXY, Kind.ERROR),
    /** The proxy has as many connections that are not logged in yet as it may have. */
    TOO_MANY_LOGINS(ErrorSource.PROXY, Kind.ERROR),
    /** The session was asked to end when it does not hurt. */
    DRAINED(ErrorSource.PROXY, Kind.NORMAL),
    /** A defect of the proxy. */
    INTERNAL(ErrorSource.PROXY, Kind.ERROR);

    private enum Kind {
        NORMAL,
        HANDSHAKE,
        AUTHENTICATION,
        ERROR
    }

    private final ErrorSource source;
    private final Kind kind;

    EndReason(ErrorSource source, Kind kind) {
        this.source = source;
        this.kind = kind;
    }

    /** Who ends a session for this reason, as a rule; {@link SessionEnd#source} is what counts. */
    public ErrorSource source() {
        return source;
    }

    /** Whether this counts as an error of its source. */
    public boolean isError() {
        return kind != Kind.NORMAL;
    }

    /** Whether the client did not get as far as authentication, by its own doing. */
    public boolean isHandshakeFailure() {
        return kind == Kind.HANDSHAKE;
    }

    /** Whether authentication failed. */
    public boolean isAuthenticationFailure() {
        return kind == Kind.AUTHENTICATION;
    }
}

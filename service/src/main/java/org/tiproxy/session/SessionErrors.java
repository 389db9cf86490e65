package org.tiproxy.session;

import java.nio.ByteBuffer;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.ErrorCode;
import org.tiproxy.wire.server.ErrPacket;

/** What a client is told: drivers take the codes with SQLSTATE 08S01 for an error of the communication. */
final class SessionErrors {
    /** Clients keep 512 bytes of a message. */
    private static final int MAX_TEXT = 480;

    /** The servers' own words, which tools look for; which ids they were stays in the session's end. */
    private static final String OUT_OF_ORDER = "Got packets out of order";

    private SessionErrors() {}

    /** The code for a failure outside of the protocol. */
    static ErrorCode codeOf(ProxyError error) {
        return switch (error) {
            case BACKEND_START_FAILED,
                    BACKEND_START_BACKOFF,
                    BACKEND_ADDRESS_TAKEN,
                    BACKEND_UNREACHABLE,
                    BACKEND_LOST -> ErrorCode.ER_NET_READ_ERROR;
            case TOO_MANY_CONNECTIONS -> ErrorCode.ER_CON_COUNT_ERROR;
            case SHUTTING_DOWN -> ErrorCode.ER_SERVER_SHUTDOWN;
            case CLOSED_BY_OPERATOR, CLIENT_LOST -> ErrorCode.ER_ABORTING_CONNECTION;
            case IDLE_TIMEOUT -> ErrorCode.ER_CLIENT_INTERACTION_TIMEOUT;
            case BAD_PROXY_HEADER -> ErrorCode.ER_HANDSHAKE_ERROR;
            case INTERNAL -> ErrorCode.ER_UNKNOWN_ERROR;
        };
    }

    /** What a failure of the way to the backend is counted as. */
    static SessionFailure unavailable(ProxyException cause) {
        return SessionFailure.told(
                cause.error().source(), EndReason.BACKEND_UNAVAILABLE, codeOf(cause.error()), textOf(cause));
    }

    /** Somebody outside of the protocol ends the session. */
    static SessionFailure killed(ProxyException cause) {
        EndReason reason = switch (cause.error()) {
            case IDLE_TIMEOUT -> EndReason.IDLE_TIMEOUT;
            case BAD_PROXY_HEADER -> EndReason.BAD_PROXY_HEADER;
            default -> EndReason.KILLED;
        };
        return SessionFailure.told(cause.error().source(), reason, codeOf(cause.error()), textOf(cause));
    }

    /** A mistake of the client. */
    static SessionFailure ofClient(ProtocolException mistake, boolean beforeLogin) {
        ErrorCode code = mistake.errorCode();
        if (!beforeLogin) {
            return SessionFailure.told(EndReason.CLIENT_PROTOCOL_ERROR, code, textOf(mistake));
        }
        // Servers call a login that they cannot read a bad handshake.
        ErrorCode told = code == ErrorCode.ER_MALFORMED_PACKET ? ErrorCode.ER_HANDSHAKE_ERROR : code;
        return SessionFailure.told(loginReason(code), told, textOf(mistake));
    }

    /** A mistake of the backend, which the client has no part in. */
    static SessionFailure ofBackend(ProtocolException mistake) {
        return SessionFailure.told(
                EndReason.BACKEND_PROTOCOL_ERROR,
                ErrorCode.ER_NET_READ_ERROR,
                "the backend has broken the protocol: " + textOf(mistake));
    }

    /** A defect of the proxy. */
    static SessionFailure internal(RuntimeException defect) {
        return SessionFailure.told(
                EndReason.INTERNAL, ErrorCode.ER_UNKNOWN_ERROR, "internal error of the proxy: " + defect);
    }

    static byte[] payload(ErrorCode code, String text) {
        return packet(code, text).encode().toByteArray();
    }

    static ByteBuffer packet(ErrorCode code, String text, int sequenceId) {
        return packet(code, text).encode().toPacket(sequenceId);
    }

    private static ErrPacket packet(ErrorCode code, String text) {
        if (code == ErrorCode.ER_NET_PACKETS_OUT_OF_ORDER) {
            return ErrPacket.of(code, OUT_OF_ORDER);
        }
        return ErrPacket.of(code, text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) + "..." : text);
    }

    private static EndReason loginReason(ErrorCode code) {
        return switch (code) {
            case ER_NET_PACKETS_OUT_OF_ORDER -> EndReason.LOGIN_OUT_OF_ORDER;
            case ER_NET_PACKET_TOO_LARGE -> EndReason.LOGIN_PACKET_TOO_LARGE;
            case ER_HANDSHAKE_ERROR -> EndReason.OLD_PROTOCOL;
            default -> EndReason.MALFORMED_LOGIN;
        };
    }

    private static String textOf(Exception cause) {
        return String.valueOf(cause.getMessage());
    }
}

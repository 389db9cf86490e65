package org.tiproxy.net.tls;

import io.netty.handler.ssl.NotSslRecordException;
import java.nio.channels.ClosedChannelException;
import org.tiproxy.common.HostPort;

/** Says why a TLS handshake failed, and what to do about it. */
public final class TlsFailure {
    private TlsFailure() {}

    /** The handshake with a client. */
    public static String withClient(Throwable cause) {
        return "TLS with the client failed: " + reason(cause, "client");
    }

    /** The handshake with the backend. */
    public static String withBackend(HostPort backend, Throwable cause) {
        String reason = reason(cause, "backend");
        return "TLS with backend " + backend + " failed: " + reason + advice(reason);
    }

    private static String reason(Throwable cause, String peer) {
        if (cause instanceof ClosedChannelException) {
            return "the " + peer + " closed the connection during the handshake";
        }
        if (cause instanceof NotSslRecordException) {
            // Netty's message is a dump of all bytes.
            return "the " + peer + " sent something that is not TLS";
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    private static String advice(String reason) {
        if (reason.contains("PKIX")) {
            return " (its certificate is not signed by a CA in " + SecurityConfig.SQL_CA + ")";
        }
        // Newer JDKs put the alert's name in front.
        if (reason.contains("No subject alternative") || reason.contains("No name matching")) {
            return " (its certificate is made out to another host: name that one in backend.instances, or set "
                    + SecurityConfig.SQL_VERIFY_HOSTNAME + " = false)";
        }
        return "";
    }
}

package org.tiproxy.session;

import org.jspecify.annotations.Nullable;

/** Recognises what is not MySQL by the first four bytes that a client sends. */
final class ForeignProtocol {
    private static final int TLS_HANDSHAKE = 0x16;
    private static final int TLS_MAJOR_VERSION = 0x03;
    private static final int TLS_MAX_MINOR_VERSION = 0x04;

    /** The first four bytes of a PROXY header of version 2: CR LF CR LF. */
    private static final int PROXY_V2 = 0x0a0d0a0d;

    private ForeignProtocol() {}

    /**
     * What the client speaks, if it is known not to be MySQL.
     *
     * @param header four bytes, the first one lowest
     */
    static @Nullable EndReason of(int header) {
        if (isTlsHello(header)) {
            return EndReason.SPEAKS_TLS;
        }
        if (header == PROXY_V2 || text(header).equals("PROX")) {
            return EndReason.SPEAKS_PROXY_PROTOCOL;
        }
        return isHttp(header) ? EndReason.SPEAKS_HTTP : null;
    }

    /** What an operator reads about it. */
    static String describe(EndReason foreign) {
        return switch (foreign) {
            case SPEAKS_PROXY_PROTOCOL ->
                "the client begins with a PROXY header, which is not accepted from its address";
            case SPEAKS_TLS -> "the client begins with TLS at once, not with MySQL's SSLRequest";
            case SPEAKS_HTTP -> "the client speaks HTTP";
            default -> "the client does not speak MySQL";
        };
    }

    /** As a packet's header this would announce 66 KB or more, so no login is mistaken for it. */
    private static boolean isTlsHello(int header) {
        int minorVersion = header >> 16 & 0xff;
        return (header & 0xff) == TLS_HANDSHAKE
                && (header >> 8 & 0xff) == TLS_MAJOR_VERSION
                && minorVersion > 0
                && minorVersion <= TLS_MAX_MINOR_VERSION;
    }

    private static boolean isHttp(int header) {
        return switch (text(header)) {
            case "GET ", "HEAD", "POST", "PUT ", "DELE", "CONN", "OPTI", "TRAC", "PATC", "PRI " -> true;
            default -> false;
        };
    }

    private static String text(int header) {
        return new String(new char[] {
            (char) (header & 0xff),
            (char) (header >> 8 & 0xff),
            (char) (header >> 16 & 0xff),
            (char) (header >> 24 & 0xff)
        });
    }
}

package org.tiproxy.net;

import java.util.HexFormat;

/** PROXY headers, byte by byte. */
final class ProxyHeaders {
    /** The signature of version 2. */
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

    private ProxyHeaders() {}

    /** Version 2, command LOCAL, family UNSPEC, nothing behind it. */
    static byte[] v2Local() {
        return hex(SIGNATURE, "20", "00", "0000");
    }

    /** Version 2, command PROXY, TCP over IPv4: 10.1.2.3:4660 to 10.1.2.4:3306, then a TLV of type 0x04 (NOOP). */
    static byte[] v2Tcp4() {
        return hex(SIGNATURE, "21", "11", "0012", "0a010203", "0a010204", "1234", "0cea", "04 0003 000000");
    }

    /** Version 2, command PROXY, TCP over IPv6: [2001:db8::1]:4660 to [2001:db8::2]:3306. */
    static byte[] v2Tcp6() {
        return hex(
                SIGNATURE,
                "21",
                "21",
                "0024",
                "20010db8000000000000000000000001",
                "20010db8000000000000000000000002",
                "1234",
                "0cea");
    }

    static byte[] hex(String... parts) {
        return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
    }
}

package org.tiproxy.net.tls;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** As much of ASN.1's DER as certificates and private keys need: the JDK has no public API that writes them. */
final class Der {
    static final byte[] TRUE = {0x01, 0x01, (byte) 0xff};
    static final byte[] NULL = {0x05, 0x00};

    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int OBJECT_IDENTIFIER = 0x06;
    private static final int UTF8_STRING = 0x0c;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int CONTEXT = 0x80;
    private static final int CONSTRUCTED_CONTEXT = 0xa0;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private Der() {}

    static byte[] sequence(byte[]... elements) {
        return element(SEQUENCE, elements);
    }

    static byte[] set(byte[]... elements) {
        return element(SET, elements);
    }

    static byte[] integer(BigInteger value) {
        return element(INTEGER, value.toByteArray());
    }

    static byte[] integer(int value) {
        return integer(BigInteger.valueOf(value));
    }

    static byte[] octetString(byte[] content) {
        return element(OCTET_STRING, content);
    }

    /** Whole bytes. */
    static byte[] bitString(byte[] content) {
        return element(BIT_STRING, new byte[1], content);
    }

    static byte[] utf8String(String text) {
        return element(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] time(Instant instant) {
        return element(GENERALIZED_TIME, TIME.format(instant).getBytes(StandardCharsets.US_ASCII));
    }

    /** {@code [number]} around whole elements. */
    static byte[] explicit(int number, byte[]... elements) {
        return element(CONSTRUCTED_CONTEXT | number, elements);
    }

    /** {@code [number]} in place of a simple element's own tag. */
    static byte[] implicit(int number, byte[] content) {
        return element(CONTEXT | number, content);
    }

    static byte[] oid(String dotted) {
        String[] arcs = dotted.split("\\.", -1);
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.write(Integer.parseInt(arcs[0]) * 40 + Integer.parseInt(arcs[1]));
        for (int i = 2; i < arcs.length; i++) {
            int arc = Integer.parseInt(arcs[i]);
            for (int shift = 28; shift > 0; shift -= 7) {
                if (arc >>> shift != 0) {
                    content.write((arc >>> shift & 0x7f) | 0x80);
                }
            }
            content.write(arc & 0x7f);
        }
        return element(OBJECT_IDENTIFIER, content.toByteArray());
    }

    /** What stands in {@code [number]} within a sequence; null if it is not there, or this is no sequence. */
    static byte @Nullable [] explicitIn(byte[] sequence, int number) {
        int at = headerLength(sequence, 0);
        while (at > 0 && at < sequence.length) {
            int header = headerLength(sequence, at);
            int length = header == 0 ? -1 : contentLength(sequence, at);
            if (length < 0 || length > sequence.length - at - header) {
                return null;
            }
            if ((sequence[at] & 0xff) == (CONSTRUCTED_CONTEXT | number)) {
                return Arrays.copyOfRange(sequence, at + header, at + header + length);
            }
            at += header + length;
        }
        return null;
    }

    private static int headerLength(byte[] der, int at) {
        if (at + 2 > der.length) {
            return 0;
        }
        int first = der[at + 1] & 0xff;
        int length = first < 0x80 ? 2 : 2 + (first & 0x7f);
        return length > 5 || at + length > der.length ? 0 : length;
    }

    private static int contentLength(byte[] der, int at) {
        int first = der[at + 1] & 0xff;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7f); i++) {
            length = length << 8 | (der[at + 2 + i] & 0xff);
        }
        return length;
    }

    private static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream element = new ByteArrayOutputStream();
        element.write(tag);
        int length = content.size();
        if (length < 0x80) {
            element.write(length);
        } else {
            byte[] bytes = BigInteger.valueOf(length).toByteArray();
            int start = bytes[0] == 0 ? 1 : 0;
            element.write(0x80 | bytes.length - start);
            element.write(bytes, start, bytes.length - start);
        }
        element.writeBytes(content.toByteArray());
        return element.toByteArray();
    }
}

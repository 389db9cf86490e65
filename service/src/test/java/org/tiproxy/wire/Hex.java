package org.tiproxy.wire;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Literal bytes in tests: hexadecimal digits and 'texts', separated by blanks as the fields are. */
public final class Hex {
    private Hex() {}

    /** The bytes of several fields. */
    public static Bytes bytes(String... fields) {
        PayloadWriter writer = new PayloadWriter();
        for (String field : fields) {
            addField(writer, field);
        }
        return Bytes.of(writer.toByteArray());
    }

    /** One packet: header and the payload of several fields. */
    public static byte[] packet(int sequenceId, String... fields) {
        ByteBuffer packet = new PayloadWriter().bytes(bytes(fields)).toPacket(sequenceId);
        byte[] result = new byte[packet.remaining()];
        packet.get(result);
        return result;
    }

    /** Several arrays as one. */
    public static byte[] join(byte[]... parts) {
        PayloadWriter writer = new PayloadWriter();
        for (byte[] part : parts) {
            writer.bytes(part);
        }
        return writer.toByteArray();
    }

    private static void addField(PayloadWriter writer, String field) {
        if (field.startsWith("'")) {
            writer.string(field.substring(1, field.length() - 1));
        } else {
            writer.bytes(HexFormat.of().parseHex(field.replace(" ", "")));
        }
    }
}

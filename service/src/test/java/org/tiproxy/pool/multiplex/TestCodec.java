package org.tiproxy.pool.multiplex;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Frames of the tests: 4 bytes length of what follows, 8 bytes id, text. Id 0 is unsolicited. */
final class TestCodec implements FrameCodec {
    @Override
    public int frameLength(ByteBuffer bytes) throws ProtocolException {
        if (bytes.remaining() < 4) {
            return INCOMPLETE;
        }
        int length = bytes.getInt(bytes.position());
        if (length < 8) {
            throw new ProtocolException("a frame says that " + length + " bytes follow");
        }
        return 4 + length;
    }

    @Override
    public long requestId(ByteBuffer frame) {
        return frame.getLong(frame.position() + 4);
    }

    @Override
    public boolean isUnsolicited(ByteBuffer frame) {
        return requestId(frame) == 0;
    }

    static ByteBuffer frame(long id, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(12 + bytes.length)
                .putInt(8 + bytes.length)
                .putLong(id)
                .put(bytes)
                .flip();
    }

    static String text(ByteBuffer frame) {
        byte[] bytes = new byte[frame.remaining() - 12];
        frame.get(frame.position() + 12, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

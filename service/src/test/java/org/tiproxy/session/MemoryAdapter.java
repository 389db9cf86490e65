package org.tiproxy.session;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.protocol.Command;

/** The thinnest adapter: bytes in, bytes out, everything on the caller's thread. */
final class MemoryAdapter implements SessionOutput, SessionListener {
    /** A chunk starts somewhere in a buffer. */
    private static final int PADDING = 3;

    final List<String> events = new ArrayList<>();
    final ByteArrayOutputStream toClient = new ByteArrayOutputStream();
    final ByteArrayOutputStream toBackend = new ByteArrayOutputStream();
    final SessionEngine engine;
    int forwardCalls;

    @Nullable
    SessionEnd end;

    boolean clientTlsAsked;
    boolean backendTlsAsked;
    boolean clientPaused;

    /**
     * Whether what the client has sent too early waits until all is read that the backend sends at a time. Otherwise, which
     * of two bad peers ends the session depends on how the bytes are split.
     */
    boolean clientWaitsForItsTurn;

    private final IntUnaryOperator chunkSizes;
    private byte[] kept = {};
    private ByteBuffer chunk = ByteBuffer.allocate(0);
    private boolean inEvent;
    private boolean backendSpeaks;

    /** {@code chunkSizes} says how many of the available bytes come in the next chunk. */
    MemoryAdapter(SessionConfig config, IntUnaryOperator chunkSizes) {
        this.chunkSizes = chunkSizes;
        ConnectionIds ids = id -> id == EngineHarness.OTHER_VIRTUAL_ID ? EngineHarness.OTHER_BACKEND_ID : 0;
        this.engine = new SessionEngine(config, this, this, ids, EngineHarness.CONNECTION_ID);
    }

    MemoryAdapter(SessionConfig config) {
        this(config, available -> available);
    }

    void event(Runnable event) {
        if (inEvent) {
            throw new IllegalStateException("called back within an event");
        }
        inEvent = true;
        event.run();
        inEvent = false;
        offerKept();
    }

    void fromClient(byte[] bytes) {
        boolean wait = clientPaused || (clientTlsAsked && engine.phase() == SessionPhase.CLIENT_TLS);
        kept = concat(kept, bytes);
        if (!wait) {
            offerKept();
        }
    }

    void fromBackend(byte[] bytes) {
        int offset = 0;
        backendSpeaks = true;
        while (offset < bytes.length) {
            int count = Math.max(1, Math.min(bytes.length - offset, chunkSizes.applyAsInt(bytes.length - offset)));
            chunk = padded(bytes, offset, count);
            offset += count;
            event(() -> engine.backendBytes(chunk));
            if (chunk.hasRemaining()) {
                throw new AssertionError(chunk.remaining() + " bytes of the backend are left");
            }
        }
        backendSpeaks = false;
        offerKept();
    }

    private void offerKept() {
        if (backendSpeaks && clientWaitsForItsTurn) {
            return;
        }
        while (kept.length > 0 && !clientPaused && engine.phase() != SessionPhase.CLIENT_TLS) {
            int count = Math.max(1, Math.min(kept.length, chunkSizes.applyAsInt(kept.length)));
            chunk = padded(kept, 0, count);
            byte[] behind = Arrays.copyOfRange(kept, count, kept.length);
            inEvent = true;
            engine.clientBytes(chunk);
            inEvent = false;
            byte[] left = new byte[chunk.remaining()];
            chunk.get(left);
            boolean stuck = left.length == count && !clientPaused && engine.phase() != SessionPhase.CLIENT_TLS;
            if (stuck) {
                throw new AssertionError("took nothing of " + count + " bytes and did not pause in " + engine.phase());
            }
            kept = concat(left, behind);
        }
    }

    @Override
    public void forwardToBackend(int from, int to) {
        forwardCalls++;
        copy(from, to, toBackend);
    }

    @Override
    public void forwardToClient(int from, int to) {
        forwardCalls++;
        copy(from, to, toClient);
    }

    @Override
    public void sendToBackend(ByteBuffer bytes) {
        copy(bytes, toBackend);
    }

    @Override
    public void sendToClient(ByteBuffer bytes) {
        copy(bytes, toClient);
    }

    @Override
    public void startClientTls() {
        checkNotEnded();
        clientTlsAsked = true;
    }

    @Override
    public void startBackendTls() {
        checkNotEnded();
        backendTlsAsked = true;
    }

    @Override
    public void pauseClient() {
        checkNotEnded();
        if (clientPaused) {
            throw new AssertionError("paused twice");
        }
        clientPaused = true;
    }

    @Override
    public void resumeClient() {
        checkNotEnded();
        if (!clientPaused) {
            throw new AssertionError("resumed twice");
        }
        clientPaused = false;
    }

    @Override
    public void end(SessionEnd sessionEnd) {
        checkNotEnded();
        end = sessionEnd;
    }

    @Override
    public void backendGreeted(long connectionId, String serverVersion) {
        events.add("greeted " + connectionId + " " + serverVersion);
    }

    @Override
    public void loggedIn(Login login) {
        events.add("login " + login.user() + "/" + login.schema());
    }

    @Override
    public void loginRefused(int errorCode) {
        events.add("refused " + errorCode);
    }

    @Override
    public void commandBegun(Command command) {
        events.add("begin " + command);
    }

    @Override
    public void commandEnded(Command command) {
        events.add("end " + command);
    }

    @Override
    public void transactionChanged(TransactionState state) {
        events.add("transaction " + state);
    }

    @Override
    public void schemaChanged(String schema) {
        events.add("schema " + schema);
    }

    private void copy(int from, int to, ByteArrayOutputStream target) {
        checkNotEnded();
        if (from >= to || from < PADDING || to > chunk.limit()) {
            throw new AssertionError("range " + from + " to " + to + " of a chunk up to " + chunk.limit());
        }
        for (int i = from; i < to; i++) {
            target.write(chunk.get(i));
        }
    }

    private void copy(ByteBuffer bytes, ByteArrayOutputStream target) {
        checkNotEnded();
        while (bytes.hasRemaining()) {
            target.write(bytes.get());
        }
    }

    private void checkNotEnded() {
        if (end != null) {
            throw new AssertionError("output after the end");
        }
    }

    private static ByteBuffer padded(byte[] bytes, int offset, int count) {
        ByteBuffer padded = ByteBuffer.allocateDirect(PADDING + count);
        padded.position(PADDING);
        padded.put(bytes, offset, count);
        padded.flip().position(PADDING);
        return padded;
    }

    private static byte[] concat(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}

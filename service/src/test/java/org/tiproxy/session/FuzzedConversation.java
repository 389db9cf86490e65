package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.tiproxy.wire.Bytes;

/**
 * A session whose two peers send what an input says: whatever it is, the session goes on or ends in an orderly way, and
 * any split into reads gives the same.
 *
 * <p>An input is the seed of the splits in one byte, the TLS modes in one byte, and steps: who sends (odd for the client)
 * in one byte, how much in one byte, and that.
 */
final class FuzzedConversation {
    private static final int HEAD = 2;
    private static final int MAX_STEPS = 30;
    private static final TlsMode[] MODES = TlsMode.values();

    private record Step(boolean fromClient, Bytes bytes) {}

    private FuzzedConversation() {}

    /** Begins before the backend's greeting, or behind a login without TLS. */
    static void check(byte[] input, boolean loggedIn) {
        if (input.length < HEAD) {
            return;
        }
        int modes = loggedIn ? 0 : Byte.toUnsignedInt(input[1]);
        SessionConfig config = Packets.config(MODES[modes % MODES.length], MODES[modes / MODES.length % MODES.length]);
        List<Step> steps = steps(input);
        Random random = new Random(input[0]);
        MemoryAdapter whole = converse(config, steps, loggedIn, available -> available);
        MemoryAdapter split = converse(config, steps, loggedIn, available -> 1 + random.nextInt(7));
        assertThat(split.engine.phase()).isEqualTo(whole.engine.phase());
        assertThat(split.end).isEqualTo(whole.end);
        assertThat(split.events).isEqualTo(whole.events);
        // Behind a bad packet nothing can follow: how much of what was in front of it, and of its header, has been
        // passed
        // on in the same direction depends on the split.
        EndReason reason = whole.end == null ? null : whole.end.reason();
        if (reason != EndReason.CLIENT_PROTOCOL_ERROR) {
            assertThat(split.toBackend.toByteArray()).isEqualTo(whole.toBackend.toByteArray());
        }
        if (reason != EndReason.BACKEND_PROTOCOL_ERROR) {
            assertThat(split.toClient.toByteArray()).isEqualTo(whole.toClient.toByteArray());
        }
    }

    private static List<Step> steps(byte[] input) {
        List<Step> steps = new ArrayList<>();
        int at = HEAD;
        while (steps.size() < MAX_STEPS && at + HEAD < input.length) {
            boolean fromClient = (input[at] & 1) == 1;
            int start = at + HEAD;
            at = Math.min(input.length, start + Byte.toUnsignedInt(input[at + 1]));
            steps.add(new Step(fromClient, Bytes.of(Arrays.copyOfRange(input, start, at))));
        }
        return steps;
    }

    private static MemoryAdapter converse(
            SessionConfig config, List<Step> steps, boolean loggedIn, IntUnaryOperator chunkSizes) {
        MemoryAdapter adapter = new MemoryAdapter(config, chunkSizes);
        adapter.clientWaitsForItsTurn = true;
        adapter.event(adapter.engine::backendConnected);
        if (loggedIn) {
            adapter.fromBackend(Packets.greeting());
            adapter.fromClient(Packets.response(1));
            adapter.fromBackend(Packets.ok(2));
        }
        for (Step step : steps) {
            if (adapter.end != null) {
                break;
            }
            switch (adapter.engine.phase()) {
                case CLIENT_TLS -> adapter.event(adapter.engine::clientTlsStarted);
                case BACKEND_TLS -> adapter.event(adapter.engine::backendTlsStarted);
                default -> {}
            }
            if (adapter.end != null) {
                break;
            }
            if (step.fromClient()) {
                adapter.fromClient(step.bytes().toByteArray());
            } else if (adapter.engine.phase() != SessionPhase.BACKEND_TLS) {
                adapter.fromBackend(step.bytes().toByteArray());
            }
        }
        SessionEnd end = adapter.end;
        assertThat(end == null ? null : end.reason()).isNotEqualTo(EndReason.INTERNAL);
        return adapter;
    }
}

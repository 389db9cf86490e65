package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.tiproxy.wire.Bytes;

/**
 * Coverage-guided fuzzing of whole sessions; without JAZZER_FUZZ only the stored inputs run. The bytes say which peer
 * sends what: whatever it is, the session goes on or ends in an orderly way, and any split into reads gives the same.
 */
class SessionJazzerTest {
    private static final String DURATION = "3m";
    private static final int MAX_STEPS = 20;
    private static final TlsMode[] MODES = TlsMode.values();

    /** Who sends something, and what. */
    private record Step(boolean fromClient, Bytes bytes) {}

    /** From the greeting on. */
    @FuzzTest(maxDuration = DURATION)
    void logins(FuzzedDataProvider data) {
        run(data, false);
    }

    /** Behind a login. */
    @FuzzTest(maxDuration = DURATION)
    void commands(FuzzedDataProvider data) {
        run(data, true);
    }

    private static void run(FuzzedDataProvider data, boolean loggedIn) {
        TlsMode client = loggedIn ? TlsMode.DISABLED : data.pickValue(MODES);
        TlsMode backend = loggedIn ? TlsMode.DISABLED : data.pickValue(MODES);
        long seed = data.consumeLong();
        List<Step> steps = new ArrayList<>();
        while (steps.size() < MAX_STEPS && data.remainingBytes() > 0) {
            steps.add(new Step(data.consumeBoolean(), Bytes.of(data.consumeBytes(data.consumeInt(0, 200)))));
        }
        SessionConfig config = Packets.config(client, backend);
        Random random = new Random(seed);
        List<Object> whole = converse(config, steps, loggedIn, available -> available);
        assertThat(converse(config, steps, loggedIn, available -> 1 + random.nextInt(7)))
                .isEqualTo(whole);
    }

    private static List<Object> converse(
            SessionConfig config, List<Step> steps, boolean loggedIn, IntUnaryOperator chunkSizes) {
        MemoryAdapter adapter = new MemoryAdapter(config, chunkSizes);
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
            if (step.fromClient) {
                adapter.fromClient(step.bytes.toByteArray());
            } else if (adapter.engine.phase() != SessionPhase.BACKEND_TLS) {
                adapter.fromBackend(step.bytes.toByteArray());
            }
        }
        SessionEnd end = adapter.end;
        assertThat(end == null ? null : end.reason()).isNotEqualTo(EndReason.INTERNAL);
        List<Object> result = new ArrayList<>();
        result.add(adapter.engine.phase());
        result.add(end == null ? "" : end);
        result.add(List.copyOf(adapter.events));
        result.add(List.of(
                ByteBuffer.wrap(adapter.toClient.toByteArray()), ByteBuffer.wrap(adapter.toBackend.toByteArray())));
        return result;
    }
}

package org.tiproxy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

class ProxyLifecycleTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final FakeListener listener = new FakeListener();
    private final SessionRegistry sessions = new SessionRegistry(0);
    private final ProxyLifecycle lifecycle = new ProxyLifecycle(listener, sessions, timer);

    @AfterEach
    void stopTimer() {
        timer.shutdownNow();
    }

    @ParameterizedTest
    @CsvSource({
        "STARTING, 'RUNNING STOPPED'",
        "RUNNING,  'PAUSED DRAINING STOPPED'",
        "PAUSED,   'RUNNING DRAINING STOPPED'",
        "DRAINING, 'RUNNING STOPPED'",
        "STOPPED,  ''"
    })
    void onlyTheTableOfTheJavadocIsAllowed(ProxyState from, String targets) {
        Set<String> expected = Set.of(targets.split(" "));
        for (ProxyState to : ProxyState.values()) {
            assertThat(ProxyLifecycle.allowed(from, to)).as(from + " -> " + to).isEqualTo(expected.contains(to.name()));
        }
    }

    @Test
    void aPausedProxyListensButAcceptsNobody() throws Exception {
        lifecycle.start();

        assertThat(lifecycle.pause()).startsWith("paused");
        assertThat(listener.calls).containsExactly("open", "accept false");
        assertThat(lifecycle.pause()).isEqualTo("already paused");
        assertThat(lifecycle.resume()).isEqualTo("running");
        assertThat(listener.calls).containsExactly("open", "accept false", "accept true");
    }

    @Test
    void aDrainWithoutConnectionsEndsAtOnceAndResumeListensAgain() throws Exception {
        lifecycle.start();

        assertThat(lifecycle.drain(Duration.ofHours(1))).succeedsWithin(Duration.ofSeconds(10));
        assertThat(lifecycle.state()).isEqualTo(ProxyState.DRAINING);
        lifecycle.resume();
        assertThat(listener.calls).containsExactly("open", "close", "open");
        assertThat(lifecycle.state()).isEqualTo(ProxyState.RUNNING);
    }

    @Test
    void aDrainWaitsForConnectionsToFinish() throws Exception {
        lifecycle.start();
        FakeSession session = session();

        CompletableFuture<String> drain = lifecycle.drain(Duration.ofHours(1));
        assertThat(drain).isNotDone();
        sessions.remove(session);

        assertThat(drain).succeedsWithin(Duration.ofSeconds(10)).asString().contains("1 connections finished");
        assertThat(session.closedBecause).isNull();
    }

    @Test
    void aDrainAsksSessionsToEndAndAResumeTakesThatBack() throws Exception {
        lifecycle.start();
        FakeSession session = session();

        lifecycle.drain(Duration.ofHours(1));
        assertThat(session.drained.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(session.drainCancelled).isFalse();
        lifecycle.resume();
        assertThat(session.drainCancelled).isTrue();
    }

    @Test
    void whatIsLeftAfterTheDeadlineIsClosed() throws Exception {
        lifecycle.start();
        FakeSession session = session();

        assertThat(lifecycle.drain(Duration.ZERO))
                .succeedsWithin(Duration.ofSeconds(10))
                .asString()
                .contains("1 were closed after 0 ms");
        assertThat(session.closedBecause).isEqualTo(ProxyError.SHUTTING_DOWN);
    }

    @Test
    void resumeEndsADrainThatStillWaits() throws Exception {
        lifecycle.start();
        FakeSession session = session();
        CompletableFuture<String> drain = lifecycle.drain(Duration.ofHours(1));

        lifecycle.resume();

        assertThat(drain).succeedsWithin(Duration.ofSeconds(10)).asString().contains("ended by resume");
        assertThat(session.closedBecause).isNull();
    }

    @Test
    void aSecondDrainReplacesTheFirstOnesDeadline() throws Exception {
        lifecycle.start();
        session();
        CompletableFuture<String> patient = lifecycle.drain(Duration.ofHours(1));
        CompletableFuture<String> impatient = lifecycle.drain(Duration.ZERO);

        assertThat(patient).succeedsWithin(Duration.ofSeconds(10)).asString().contains("replaced");
        assertThat(impatient).succeedsWithin(Duration.ofSeconds(10)).asString().contains("were closed");
    }

    @Test
    void whoIsStoppingCannotBeResumed() throws Exception {
        lifecycle.start();
        FakeSession session = session();
        CompletableFuture<String> stop = lifecycle.stop(Duration.ofHours(1));

        assertThatThrownBy(lifecycle::resume)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the proxy is stopping");
        assertThat(stop).isNotDone();
        sessions.remove(session);
        assertThat(stop).succeedsWithin(Duration.ofSeconds(10));
        assertThat(lifecycle.state()).isEqualTo(ProxyState.STOPPED);
    }

    @Test
    void aConnectionThatIsListedLateIsClosedAsWell() throws Exception {
        lifecycle.start();
        assertThat(sessions.tryAdmit()).isTrue();
        CompletableFuture<String> drain = lifecycle.drain(Duration.ZERO);
        FakeSession late = new FakeSession(sessions.nextId());
        sessions.add(late);

        assertThat(drain).succeedsWithin(Duration.ofSeconds(10));
        assertThat(late.closedBecause).isEqualTo(ProxyError.SHUTTING_DOWN);
    }

    @Test
    void aStoppedProxyStaysStopped() throws Exception {
        lifecycle.start();
        lifecycle.stop(Duration.ZERO).get(10, TimeUnit.SECONDS);

        assertThat(lifecycle.state()).isEqualTo(ProxyState.STOPPED);
        assertThatThrownBy(lifecycle::resume)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("resume is not possible while the proxy is STOPPED");
        assertThat(lifecycle.stop(Duration.ZERO)).isCompletedWithValue("already stopped");
    }

    @Test
    void anAddressThatCannotBeBoundLeavesTheProxyStarting() {
        listener.failure = new ProxyException(ProxyError.INTERNAL, "in use");

        assertThatThrownBy(lifecycle::start).hasMessage("in use");
        assertThat(lifecycle.state()).isEqualTo(ProxyState.STARTING);
    }

    private FakeSession session() {
        assertThat(sessions.tryAdmit()).isTrue();
        FakeSession session = new FakeSession(sessions.nextId());
        sessions.add(session);
        return session;
    }

    private static final class FakeListener implements Listener {
        private final List<String> calls = new ArrayList<>();
        private @Nullable ProxyException failure;

        @Override
        public void open() throws ProxyException {
            if (failure != null) {
                throw failure;
            }
            calls.add("open");
        }

        @Override
        public void accept(boolean accept) {
            calls.add("accept " + accept);
        }

        @Override
        public void close() {
            calls.add("close");
        }

        @Override
        public HostPort address() {
            return new HostPort("127.0.0.1", 4000);
        }
    }

    private final class FakeSession implements ProxySession {
        private final long id;
        private final CompletableFuture<Boolean> drained = new CompletableFuture<>();
        private volatile boolean drainCancelled;
        private volatile @Nullable ProxyError closedBecause;

        FakeSession(long id) {
            this.id = id;
        }

        @Override
        public long id() {
            return id;
        }

        @Override
        public HostPort client() {
            return new HostPort("127.0.0.1", 1);
        }

        @Override
        public @Nullable HostPort backend() {
            return null;
        }

        @Override
        public Instant since() {
            return Instant.EPOCH;
        }

        @Override
        public long bytesReceived() {
            return 0;
        }

        @Override
        public long bytesSent() {
            return 0;
        }

        @Override
        public void drain() {
            drained.complete(true);
        }

        @Override
        public void cancelDrain() {
            drainCancelled = true;
        }

        @Override
        public void close(ProxyError cause, String reason) {
            closedBecause = cause;
            sessions.remove(this);
        }
    }
}

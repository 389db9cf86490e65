package org.tiproxy.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.TransactionState;

class SessionCountersTest {
    private final SessionCounters counters = new SessionCounters();

    @Test
    void everythingIsZeroAtFirst() {
        assertThat(counters.commandsTotal()).isZero();
        assertThat(counters.authFailuresTotal()).isZero();
        assertThat(counters.handshakeFailuresTotal()).isZero();
        assertThat(counters.handshakeFailuresByReason()).isEmpty();
        assertThat(counters.sessionsEndedByReason()).isEmpty();
        assertThat(errors()).containsOnly(0L);
    }

    @ParameterizedTest
    @EnumSource(EndReason.class)
    void eachEndIsCountedOnceWhereItBelongs(EndReason reason) {
        SessionCounters.Share share = counters.newShare();
        share.ended(end(reason));
        share.ended(end(EndReason.INTERNAL));

        assertThat(counters.sessionsEndedByReason()).isEqualTo(Map.of(reason.name(), 1L));
        assertThat(counters.handshakeFailuresTotal()).isEqualTo(reason.isHandshakeFailure() ? 1 : 0);
        assertThat(counters.handshakeFailuresByReason())
                .isEqualTo(reason.isHandshakeFailure() ? Map.of(reason.name(), 1L) : Map.of());
        assertThat(counters.authFailuresTotal()).isEqualTo(reason.isAuthenticationFailure() ? 1 : 0);
        for (ErrorSource source : ErrorSource.values()) {
            boolean blamed = reason.isError() && source == reason.source();
            assertThat(counters.errorsOf(source)).as(source.name()).isEqualTo(blamed ? 1 : 0);
        }
    }

    @Test
    void errorsAreThoseOfTheSourceThatTheEndNames() {
        counters.newShare().ended(new SessionEnd(ErrorSource.BACKEND, EndReason.LOGIN_TIMED_OUT, "no answer"));

        assertThat(counters.errorsOf(ErrorSource.BACKEND)).isEqualTo(1);
        assertThat(counters.errorsOf(ErrorSource.CLIENT)).isZero();
        assertThat(counters.handshakeFailuresTotal()).isEqualTo(1);
    }

    @Test
    void refusedChangeOfUserIsAnAuthenticationFailureThatNeedNotEndTheSession() {
        SessionCounters.Share share = counters.newShare();
        share.changeOfUserRefused();
        assertThat(counters.authFailuresTotal()).isEqualTo(1);
        share.ended(end(EndReason.CLIENT_QUIT));
        assertThat(counters.authFailuresTotal()).isEqualTo(1);
        assertThat(errors()).containsOnly(0L);
    }

    @Test
    void numbersOfSessionsAreRightAtEveryMomentAndLeakNothing() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            SessionCounters tried = new SessionCounters();
            List<Model> models = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                models.add(new Model(tried.newShare()));
            }
            for (int step = 0; step < 200; step++) {
                models.get(random.nextInt(models.size())).step(random);
                assertThat(tried.sessionsInTransaction())
                        .as("seed " + seed + " step " + step)
                        .isEqualTo(models.stream().filter(Model::inTransaction).count());
                assertThat(tried.tlsSessions())
                        .as("seed " + seed + " step " + step)
                        .isEqualTo(models.stream().filter(Model::overTls).count());
            }
            models.forEach(model -> model.share.ended(end(EndReason.CLIENT_QUIT)));
            assertThat(tried.sessionsInTransaction()).isZero();
            assertThat(tried.tlsSessions()).isZero();
            assertThat(tried.sessionsEndedByReason().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(models.size());
        }
    }

    @Test
    void severalThreadsCountAtOnce() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    return;
                }
                for (int session = 0; session < 1000; session++) {
                    SessionCounters.Share share = counters.newShare();
                    share.loggedIn(true);
                    share.commandBegun();
                    share.transactionChanged(TransactionState.ACTIVE);
                    share.ended(end(EndReason.CLIENT_CLOSED));
                }
            });
            threads.add(thread);
            thread.start();
        }
        go.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(counters.commandsTotal()).isEqualTo(4000);
        assertThat(counters.sessionsInTransaction()).isZero();
        assertThat(counters.tlsSessions()).isZero();
        assertThat(counters.errorsOf(ErrorSource.CLIENT)).isEqualTo(4000);
    }

    private Iterable<Long> errors() {
        Map<ErrorSource, Long> errors = new EnumMap<>(ErrorSource.class);
        for (ErrorSource source : ErrorSource.values()) {
            errors.put(source, counters.errorsOf(source));
        }
        return errors.values();
    }

    private static SessionEnd end(EndReason reason) {
        return new SessionEnd(reason.source(), reason, "because");
    }

    /** What a session's share should say. */
    private static final class Model {
        private static final List<TransactionState> STATES = List.of(TransactionState.values());

        private final SessionCounters.Share share;
        private TransactionState transaction = TransactionState.NONE;
        private boolean tls;
        private boolean ended;

        Model(SessionCounters.Share share) {
            this.share = share;
        }

        void step(Random random) {
            switch (random.nextInt(8)) {
                case 0 -> {
                    ended = true;
                    share.ended(end(EndReason.KILLED));
                }
                case 1, 2 -> {
                    tls = random.nextBoolean();
                    share.loggedIn(tls);
                }
                default -> {
                    transaction = STATES.get(random.nextInt(STATES.size()));
                    share.transactionChanged(transaction);
                }
            }
        }

        boolean inTransaction() {
            return !ended && transaction != TransactionState.NONE;
        }

        boolean overTls() {
            return !ended && tls;
        }
    }
}

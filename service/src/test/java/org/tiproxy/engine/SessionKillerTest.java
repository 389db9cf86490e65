package org.tiproxy.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.session.StatementOutcome;

class SessionKillerTest {
    private final SessionRegistry sessions = new SessionRegistry(0);
    private final SessionKiller killer = new SessionKiller(sessions);

    private FakeSession add(FakeSession session) {
        sessions.add(session);
        return session;
    }

    @Test
    void queryIsKilledThroughTheIdleSessionThatHasBeenQuietForLongest() {
        add(new FakeSession(1).executing("COM_QUERY"));
        FakeSession recent = add(new FakeSession(2).quietFor(5));
        FakeSession quiet = add(new FakeSession(3).quietFor(5000));

        assertThat(killer.killQuery(1).join()).contains("session 1", "COM_QUERY", "KILL QUERY 101");
        assertThat(quiet.asked).containsExactly("KILL QUERY 101");
        assertThat(recent.asked).isEmpty();
    }

    @Test
    void sessionThatTurnsOutToBeBusyIsPassedOver() {
        add(new FakeSession(1).executing("COM_QUERY"));
        add(new FakeSession(2).quietFor(9).answering(StatementOutcome.busy()));
        FakeSession other = add(new FakeSession(3));

        killer.killQuery(1).join();
        assertThat(other.asked).containsExactly("KILL QUERY 101");
    }

    @Test
    void othersThatMustNotBeUsedAreNot() {
        FakeSession victim = add(new FakeSession(1).executing("COM_QUERY"));
        add(new FakeSession(2).of("somebody"));
        add(new FakeSession(3).executing("COM_QUERY"));
        add(new FakeSession(4).transaction("ACTIVE"));
        add(new FakeSession(5).transaction("UNKNOWN"));
        add(new FakeSession(6).at(new HostPort("127.0.0.1", 3307)));
        add(new FakeSession(7).notLoggedIn());

        assertFails(1, "no other session of user 'demo' is idle", "KILL QUERY 101", "killSession(1)");
        assertThat(sessions.sessions())
                .allSatisfy(session -> assertThat(((FakeSession) session).asked).isEmpty());
        assertThat(victim.asked).isEmpty();
    }

    @Test
    void whatTheBackendAnswersIsPassedOn() {
        add(new FakeSession(1).executing("COM_QUERY"));
        add(new FakeSession(2).answering(StatementOutcome.failed("ERR 1095 You are not owner of thread 101")));

        assertFails(1, "ERR 1095 You are not owner", "killSession(1)");
    }

    @Test
    void thereMustBeAStatementToKill() {
        add(new FakeSession(1));
        add(new FakeSession(2).notLoggedIn());

        assertFails(1, "executes no command");
        assertFails(2, "nobody is logged in", "tcp");
        assertFails(99, "no session 99", "listConnections");
    }

    @Test
    void idleSessionIsJustClosed() {
        FakeSession victim = add(new FakeSession(1));
        FakeSession other = add(new FakeSession(2));

        assertThat(killer.killSession(1)).isTrue();
        assertThat(killer.killSession(99)).isFalse();
        assertThat(victim.asked).containsExactly("close CLOSED_BY_OPERATOR");
        assertThat(other.asked).isEmpty();
    }

    @Test
    void runningStatementOfAKilledSessionIsKilledAtTheBackendToo() {
        FakeSession victim = add(new FakeSession(1).executing("COM_QUERY"));
        FakeSession other = add(new FakeSession(2));

        assertThat(killer.killSession(1)).isTrue();
        assertThat(victim.asked).containsExactly("close CLOSED_BY_OPERATOR");
        assertThat(other.asked).containsExactly("KILL 101");
    }

    @Test
    void sessionIsKilledAlsoWhenNobodyCanKillItsStatement() {
        FakeSession victim = add(new FakeSession(1).executing("COM_QUERY"));

        assertThat(killer.killSession(1)).isTrue();
        assertThat(victim.asked).containsExactly("close CLOSED_BY_OPERATOR");
    }

    private void assertFails(long id, String... parts) {
        assertThatThrownBy(() -> killer.killQuery(id).join())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(parts);
    }
}

package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;

/** How sessions end, in each phase. */
class SessionEndTest {
    private static final byte[] QUIT = Packets.command(Command.COM_QUIT);
    private static final byte[] SWITCH = Hex.packet(2, "fe", "'mysql_native_password'", "00");

    @Test
    void backendLostBeforeItsGreetingIsAnErrInItsPlace() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        session.backend().close();
        expectErr(session, 0, "in phase GREETING");
    }

    @Test
    void backendLostWhileTheClientIsDueToSpeakIsToldAfterItHasSpoken() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.backend().close();
        assertThat(session.client().receiveRest()).isEmpty();
        assertThat(session.adapter.end).isNull();
        session.client().send(Packets.response(1));
        expectErr(session, 2, "in phase HANDSHAKE");
    }

    @Test
    void backendLostWhileTheClientStartsTlsIsToldOverTls() {
        MemoryHarness session = new MemoryHarness(Packets.config(TlsMode.REQUIRED, TlsMode.DISABLED));
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.client().send(Packets.sslRequest(Packets.CLIENT_CAPABILITIES));
        session.backend().close();
        session.client().startTls();
        session.client().send(Packets.response(2));
        expectErr(session, 3, "in phase CLIENT_TLS");
    }

    @Test
    void tlsWithTheBackendThatFailsIsToldTheClient() {
        MemoryHarness session = new MemoryHarness(Packets.config(TlsMode.DISABLED, TlsMode.REQUIRED));
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.client().send(Packets.response(1));
        session.backend().close();
        expectErr(session, 2, "in phase BACKEND_TLS");
    }

    @Test
    void backendLostDuringTheAuthenticationIsToldTheClient() {
        MemoryHarness session = loggingIn();
        session.backend().close();
        expectErr(session, 2, "in phase AUTHENTICATION");
    }

    @Test
    void backendLostWhileTheClientOwesAReplyIsToldAfterIt() {
        MemoryHarness session = loggingIn();
        session.backend().send(SWITCH);
        session.client().receiveRest();
        session.backend().close();
        assertThat(session.adapter.end).isNull();
        session.client().send(Hex.packet(3, "'reply'"));
        expectErr(session, 4, "in phase AUTHENTICATION");
    }

    @Test
    void errOfTheBackendWhileTheClientOwesAReplyIsPassedAfterIt() {
        MemoryHarness session = loggingIn();
        session.backend().send(SWITCH);
        session.client().receiveRest();
        session.backend().send(Hex.packet(3, "ff 8604", "'#08S01timeout'"));
        session.backend().close();
        session.client().send(Hex.packet(3, "'reply'"));
        assertThat(ErrPacket.decode(SessionContractTest.receive(session.client(), 4))
                        .message())
                .isEqualTo("timeout");
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_ENDED);
    }

    @Test
    void deferredEndComesAtTheLatestWithTheTimeToLogIn() {
        MemoryHarness session = loggingIn();
        session.backend().send(SWITCH);
        session.backend().close();
        session.actions().loginTimedOut();
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_CLOSED);
    }

    @Test
    void backendLostInTheMiddleOfAResultIsAnErrInPlaceOfTheNextRow() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.query("SELECT 1"));
        session.backend().send(Hex.packet(1, "01"), Hex.packet(2, "03", "'def'"), Hex.packet(3, "01", "'1'"));
        session.client().receiveRest();
        session.backend().close();
        expectErr(session, 4, "while COM_QUERY was in flight");
    }

    @Test
    void backendLostInTheMiddleOfAPacketIsAClose() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.query("SELECT 1"));
        byte[] part = Arrays.copyOf(Packets.resultSet(), 12);
        session.backend().send(part);
        session.backend().close();
        assertThat(session.client().receiveRest()).isEqualTo(part);
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_CLOSED);
    }

    @Test
    void backendLostWhileTheClientSendsItsFile() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.query("LOAD DATA .."));
        session.backend().send(Hex.packet(1, "fb", "'f'"));
        session.client().send(Hex.packet(2, "'1'"), Hex.packet(3, "'2'"));
        session.client().receiveRest();
        session.backend().close();
        expectErr(session, 4, "while COM_QUERY was in flight");
    }

    @Test
    void backendLostDuringAChangeOfUser() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.command(Command.COM_CHANGE_USER, "'bob'", "00 00 00 2d00 00 00"));
        session.backend().close();
        expectErr(session, 1, "while COM_CHANGE_USER was in flight");
    }

    @Test
    void backendLostWhileTheClientSendsACommand() {
        MemoryHarness session = loggedIn();
        session.client().send(new byte[] {9, 0});
        session.backend().close();
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_CLOSED);
    }

    @Test
    void backendLostInAnIdleSessionIsAClose() {
        MemoryHarness session = loggedIn();
        session.backend().close();
        assertThat(session.client().receiveRest()).isEmpty();
        assertThat(session.end().text()).contains("idle");
    }

    @Test
    void unsolicitedErrIsPassed() {
        MemoryHarness session = loggedIn();
        byte[] err = Hex.packet(0, "ff bf0f", "'#HY000The client was disconnected'");
        session.backend().send(err);
        assertThat(session.client().receiveRest()).isEqualTo(err);
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_ENDED);
        assertThat(session.end().text()).contains("ERR 4031");
    }

    @Test
    void backendThatBreaksTheProtocolIsAnErr() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.command(Command.COM_PING));
        session.backend().send(Hex.packet(1, "55"));
        ErrPacket err = ErrPacket.decode(SessionContractTest.receive(session.client(), 1));
        assertThat(err.code()).isEqualTo(1158);
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_PROTOCOL_ERROR);
    }

    @Test
    void backendThatSpeaksUnaskedBreaksTheProtocol() {
        MemoryHarness session = loggedIn();
        session.backend().send(Packets.ok(1));
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_PROTOCOL_ERROR);
    }

    @Test
    void clientLostWithACommandInFlightIsAClose() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.query("SELECT 1"));
        session.backend().receiveRest();
        session.client().close();
        assertThat(session.backend().receiveRest()).isEmpty();
        assertThat(session.end())
                .isEqualTo(new SessionEnd(ErrorSource.CLIENT, EndReason.CLIENT_CLOSED, "closed by the peer"));
    }

    @Test
    void answersToCommandsBeforeTheQuitStillArrive() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.command(Command.COM_PING), QUIT);
        assertThat(session.engine().phase()).isEqualTo(SessionPhase.QUITTING);
        session.backend().send(Packets.ok(1));
        assertThat(session.client().receiveRest()).isEqualTo(Packets.ok(1));
        session.client().send(Packets.command(Command.COM_PING));
        assertThat(session.backend().receiveRest()).isEqualTo(Hex.join(Packets.command(Command.COM_PING), QUIT));
        session.backend().close();
        assertThat(session.end().reason().isError()).isFalse();
    }

    @Test
    void idleSessionIsKilledWithAnUnsolicitedErr() {
        MemoryHarness session = loggedIn();
        session.actions().kill(new ProxyException(ProxyError.SHUTTING_DOWN, "the proxy is stopping"));
        assertThat(ErrPacket.decode(SessionContractTest.receive(session.client(), 0))
                        .code())
                .isEqualTo(1053);
        assertThat(session.backend().receiveRest()).isEqualTo(QUIT);
        assertThat(session.end().source()).isEqualTo(ErrorSource.PROXY);
        assertThat(session.end().reason().isError()).isFalse();
    }

    @Test
    void killedLoginIsToldBehindWhatTheClientOwes() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.actions().kill(new ProxyException(ProxyError.SHUTTING_DOWN, "the proxy is stopping"));
        SessionContractTest.receive(session.client(), 2);
        session.end();
    }

    @Test
    void idleSessionIsDrainedAtOnce() {
        MemoryHarness session = loggedIn();
        session.actions().drain();
        assertThat(session.end().reason()).isEqualTo(EndReason.DRAINED);
        assertThat(session.backend().receiveRest()).isEqualTo(QUIT);
    }

    @Test
    void drainWaitsForTheTransactionAndTheCommand() {
        MemoryHarness session = loggedIn();
        session.client().send(Packets.query("BEGIN"));
        session.actions().drain();
        session.backend().send(Hex.packet(1, Packets.OK_IN_TRANSACTION));
        assertThat(session.adapter.end).isNull();
        session.client().send(Packets.query("COMMIT"));
        assertThat(session.adapter.end).isNull();
        session.backend().send(Packets.ok(1));
        assertThat(session.end().reason()).isEqualTo(EndReason.DRAINED);
    }

    @Test
    void loginDoesNotOutliveADrain() {
        MemoryHarness session = loggingIn();
        session.actions().drain();
        assertThat(ErrPacket.decode(SessionContractTest.receive(session.client(), 2))
                        .code())
                .isEqualTo(1053);
        assertThat(session.end().reason()).isEqualTo(EndReason.DRAINED);
    }

    @Test
    void eventsAfterTheEndDoNothing() {
        MemoryHarness session = loggedIn();
        session.client().close();
        session.client().send(Packets.query("SELECT 1"));
        session.backend().send(Packets.ok(1));
        session.client().close();
        session.backend().close();
        session.actions().drain();
        session.actions().loginTimedOut();
        session.actions().kill(new ProxyException(ProxyError.SHUTTING_DOWN, "stopping"));
        session.refuseBackend(new ProxyException(ProxyError.BACKEND_UNREACHABLE, "refused"));
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_CLOSED);
    }

    private static MemoryHarness loggedIn() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        SessionContractTest.logIn(session);
        return session;
    }

    private static MemoryHarness loggingIn() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.client().send(Packets.response(1));
        return session;
    }

    private static void expectErr(MemoryHarness session, int sequenceId, String when) {
        ErrPacket err = ErrPacket.decode(SessionContractTest.receive(session.client(), sequenceId));
        assertThat(err.code()).isEqualTo(1158);
        assertThat(err.sqlState()).isEqualTo("08S01");
        assertThat(err.message()).contains(when).contains("closed by the peer");
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_CLOSED);
        assertThat(session.end().source()).isEqualTo(ErrorSource.BACKEND);
    }
}

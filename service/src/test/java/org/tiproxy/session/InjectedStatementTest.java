package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.session.StatementOutcome.Result;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;

/** Statements of the proxy's own between the client's commands. */
class InjectedStatementTest {
    private static final String KILL = "KILL QUERY 77";
    /** OK that says: in a transaction, and the schema is "two" now. */
    private static final byte[] MISLEADING_OK = Hex.packet(1, "00 00 00 0340 0000", "00", "06", "01 04 03", "'two'");

    private final List<StatementOutcome> outcomes = new ArrayList<>();
    private MemoryHarness session = new MemoryHarness(Packets.plain());
    private Peer client = session.client();
    private Peer backend = session.backend();

    @BeforeEach
    void logIn() {
        start(available -> available);
    }

    @Test
    void statementIsSentAndItsResponseSwallowed() {
        inject();
        assertThat(backend.receiveRest()).isEqualTo(Packets.query(KILL));
        assertThat(outcomes).isEmpty();
        backend.send(Packets.ok(1));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
        assertThat(client.receiveRest()).isEmpty();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void refusalIsTheProxysToRead() {
        inject();
        backend.send(Packets.err(1, "You are not owner of thread 77"));
        assertThat(outcomes).singleElement().satisfies(outcome -> {
            assertThat(outcome.result()).isEqualTo(Result.FAILED);
            assertThat(outcome.text()).contains("ERR 1064", "not owner of thread 77");
        });
        assertThat(client.receiveRest()).isEmpty();
        backend.receiveRest();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void commandsThatComeMeanwhileWaitAndKeepTheirOrder() {
        inject();
        backend.receiveRest();
        client.send(Packets.query("SELECT 1"));
        client.send(Packets.command(Command.COM_PING), Packets.query("SELECT 2"));
        assertThat(backend.receiveRest()).isEmpty();
        assertThat(session.adapter.clientPaused).isTrue();
        assertThat(session.engine().commandInFlight()).isNull();
        backend.send(Packets.ok(1));
        assertThat(session.adapter.clientPaused).isFalse();
        assertThat(backend.receiveRest())
                .isEqualTo(Hex.join(
                        Packets.query("SELECT 1"), Packets.command(Command.COM_PING), Packets.query("SELECT 2")));
        byte[] answers = Hex.join(Packets.resultSet(), Packets.ok(1), Packets.resultSet());
        backend.send(answers);
        assertThat(client.receiveRest()).isEqualTo(answers);
    }

    @Test
    void resultSetIsSwallowedToItsEnd() {
        inject();
        backend.receiveRest();
        byte[] rows = Packets.resultSet();
        backend.send(Arrays.copyOf(rows, 30));
        assertThat(outcomes).isEmpty();
        backend.send(Arrays.copyOfRange(rows, 30, rows.length));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
        assertThat(client.receiveRest()).isEmpty();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void whatIsTrackedOfTheSessionIsNotDisturbed() {
        session.adapter.events.clear();
        inject();
        backend.send(MISLEADING_OK);
        assertThat(session.adapter.events).isEmpty();
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.NONE);
        inject();
        backend.send(Packets.err(1, "no"));
        assertThat(session.adapter.events).isEmpty();
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.NONE);
    }

    @Test
    void sessionThatIsNotIdleIsBusy() {
        client.send(Packets.query("SELECT 1"));
        expectBusy();
        client.send(Packets.query("SELECT 2"));
        backend.send(Packets.resultSet());
        expectBusy();
        backend.send(Packets.resultSet());
        client.send(new byte[] {9, 0});
        expectBusy();
    }

    @Test
    void commandOfSeveralPacketsIsNotInterrupted() {
        byte[] command = Packets.query("x".repeat(1000));
        client.send(Arrays.copyOf(command, 500));
        expectBusy();
        backend.send(Packets.err(1, "too big"));
        expectBusy();
        client.send(Arrays.copyOfRange(command, 500, command.length));
        inject();
        backend.send(Packets.ok(1));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
    }

    @Test
    void fileOnItsWayIsNotInterrupted() {
        client.send(Packets.query("LOAD DATA .."));
        backend.send(Hex.packet(1, "fb", "'f'"));
        expectBusy();
        client.send(Hex.packet(2, "'1'"));
        expectBusy();
        client.send(Hex.packet(3));
        expectBusy();
        backend.send(Packets.ok(4));
        inject();
        backend.send(Packets.ok(1));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
    }

    @Test
    void transactionIsLeftAlone() {
        client.send(Packets.query("BEGIN"));
        backend.send(Hex.packet(1, Packets.OK_IN_TRANSACTION));
        expectBusy();
        client.send(Packets.query("nonsense"));
        backend.send(Packets.err(1, "syntax"));
        expectBusy();
    }

    @Test
    void onlyOneRunsAtATime() {
        inject();
        backend.receiveRest();
        expectBusy();
        backend.send(Packets.ok(1));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
    }

    @Test
    void notBeforeTheLoginNorAfterTheEnd() {
        session = new MemoryHarness(Packets.plain());
        expectBusy();
        session.backend().send(Packets.greeting());
        expectBusy();
        session.client().close();
        expectBusy();
    }

    @Test
    void unsolicitedErrBehindTheResponseIsTheClients() {
        inject();
        byte[] err = Hex.packet(0, "ff bf0f", "'#HY000The client was disconnected'");
        backend.send(Packets.ok(1), err);
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
        assertThat(client.receiveRest()).isEqualTo(err);
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_ENDED);
    }

    @Test
    void endOfTheSessionIsAnOutcomeToo() {
        inject();
        backend.close();
        assertThat(session.end().text()).contains("idle");
        assertThat(outcomes).singleElement().satisfies(outcome -> {
            assertThat(outcome.result()).isEqualTo(Result.FAILED);
            assertThat(outcome.text()).contains("closed the idle connection");
        });
    }

    @Test
    void clientThatLeavesMeanwhileEndsTheSessionWithoutAGoodbyeInTheMiddle() {
        inject();
        backend.receiveRest();
        client.close();
        assertThat(backend.receiveRest()).isEmpty();
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_CLOSED);
        assertThat(outcomes).extracting(StatementOutcome::result).containsExactly(Result.FAILED);
    }

    @Test
    void killedSessionTellsItsClientInTheMiddleOfTheResponse() {
        inject();
        backend.send(Arrays.copyOf(Packets.ok(1), 6));
        session.actions().kill(new ProxyException(ProxyError.CLOSED_BY_OPERATOR, "closed by an operator"));
        assertThat(ErrPacket.decode(SessionContractTest.receive(client, 0)).code())
                .isEqualTo(1152);
    }

    @Test
    void drainWaitsForTheResponse() {
        inject();
        session.actions().drain();
        assertThat(session.adapter.end).isNull();
        backend.send(Packets.ok(1));
        assertThat(outcomes).containsExactly(StatementOutcome.ok());
        assertThat(session.end().reason()).isEqualTo(EndReason.DRAINED);
    }

    @Test
    void responseThatIsNoneEndsTheSession() {
        inject();
        backend.send(Hex.packet(1, "fb", "'/etc/passwd'"));
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_PROTOCOL_ERROR);
        assertThat(outcomes).extracting(StatementOutcome::result).containsExactly(Result.FAILED);
    }

    @Test
    void anySplitAndAnyMomentGivesTheClientTheSameBytes() {
        for (int seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            int largest = 1 + random.nextInt(60);
            start(available -> 1 + random.nextInt(largest));
            outcomes.clear();
            int sent = 0;
            List<byte[]> answers = new ArrayList<>();
            List<byte[]> commands = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                if (random.nextInt(3) == 0) {
                    inject();
                    sent++;
                }
                byte[] command = Packets.query("SELECT " + "x".repeat(random.nextInt(40)));
                int cut = random.nextInt(command.length);
                client.send(Arrays.copyOf(command, cut));
                if (random.nextInt(3) == 0) {
                    inject();
                    sent++;
                }
                if (random.nextBoolean()) {
                    answerInjected(sent, random);
                }
                client.send(Arrays.copyOfRange(command, cut, command.length));
                answerInjected(sent, random);
                byte[] answer = random.nextBoolean() ? Packets.resultSet() : Packets.err(1, "no");
                backend.send(answer);
                commands.add(command);
                answers.add(answer);
            }
            assertThat(outcomes).as("seed " + seed).hasSize(sent);
            assertThat(client.receiveRest()).as("seed " + seed).isEqualTo(Hex.join(answers.toArray(byte[][]::new)));
            assertThat(session.adapter.end).as("seed " + seed).isNull();
            String forwarded = new String(backend.receiveRest(), StandardCharsets.ISO_8859_1)
                    .replace(new String(Packets.query(KILL), StandardCharsets.ISO_8859_1), "");
            assertThat(forwarded)
                    .as("seed " + seed)
                    .isEqualTo(new String(Hex.join(commands.toArray(byte[][]::new)), StandardCharsets.ISO_8859_1));
        }
    }

    /** Answers the statement that is under way, if one is. */
    private void answerInjected(int sent, Random random) {
        if (outcomes.size() < sent) {
            backend.send(random.nextBoolean() ? MISLEADING_OK : Packets.err(1, "refused"));
        }
    }

    private void start(IntUnaryOperator chunkSizes) {
        session = new MemoryHarness(Packets.plain(), chunkSizes);
        client = session.client();
        backend = session.backend();
        SessionContractTest.logIn(session);
    }

    private void inject() {
        session.adapter.event(() -> session.engine().execute(KILL, outcomes::add));
    }

    private void expectBusy() {
        List<StatementOutcome> heard = new ArrayList<>();
        session.adapter.event(() -> session.engine().execute(KILL, heard::add));
        assertThat(heard).extracting(StatementOutcome::result).containsExactly(Result.BUSY);
    }
}

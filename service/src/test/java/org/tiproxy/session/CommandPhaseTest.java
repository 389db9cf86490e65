package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;

class CommandPhaseTest {
    /** COM_STMT_PREPARE_OK: id 1, no columns, no parameters, no warnings. */
    private static final byte[] PREPARED_1 = Hex.packet(1, "00 01000000 0000 0000 00 0000");
    /** One column, and a terminator that says that a cursor is open. */
    private static final byte[] CURSOR_OPEN =
            Hex.join(Hex.packet(1, "01"), Hex.packet(2, "03 'def'".split(" ")), Hex.packet(3, "fe 00 00 4200 0000"));

    private MemoryHarness session = new MemoryHarness(Packets.plain());
    private Peer client = session.client();
    private Peer backend = session.backend();

    @BeforeEach
    void logIn() {
        start(Packets.plain());
    }

    @Test
    void wholeChunkIsForwardedInOneRange() {
        session.adapter.forwardCalls = 0;
        client.send(Packets.query("SELECT 1"), Packets.command(Command.COM_PING), Packets.query("SELECT 2"));
        assertThat(session.adapter.forwardCalls).isEqualTo(1);
        backend.send(Packets.resultSet(), Packets.ok(1), Packets.resultSet());
        assertThat(session.adapter.forwardCalls).isEqualTo(2);
    }

    @Test
    void commandsAreReportedInOrder() {
        session.adapter.events.clear();
        client.send(Packets.query("SELECT 1"), Packets.command(Command.COM_PING));
        assertThat(session.engine().commandInFlight()).isEqualTo(Command.COM_QUERY);
        backend.send(Packets.resultSet());
        assertThat(session.engine().commandInFlight()).isEqualTo(Command.COM_PING);
        backend.send(Packets.ok(1));
        assertThat(session.engine().commandInFlight()).isNull();
        assertThat(session.adapter.events)
                .containsExactly("begin COM_QUERY", "begin COM_PING", "end COM_QUERY", "end COM_PING");
    }

    @Test
    void unknownCommandIsTheBackendsToRefuse() {
        client.send(Hex.packet(0, "7e"), Hex.packet(0));
        assertThat(backend.receiveRest()).isEqualTo(Hex.join(Hex.packet(0, "7e"), Hex.packet(0)));
        backend.send(Packets.err(1, "Unknown command"), Packets.err(1, "Unknown command"));
        SessionContractTest.receive(client, 1);
        SessionContractTest.receive(client, 1);
        SessionContractTest.roundTrip(session);
    }

    @Test
    void transactionFollowsTheStatusFlags() {
        session.adapter.events.clear();
        exchange(Packets.query("BEGIN"), Hex.packet(1, Packets.OK_IN_TRANSACTION));
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.ACTIVE);
        exchange(Packets.query("SELECT nonsense"), Packets.err(1, "syntax"));
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.UNKNOWN);
        exchange(Packets.command(Command.COM_PING), Hex.packet(1, Packets.OK_IN_TRANSACTION));
        exchange(Packets.query("COMMIT"), Packets.ok(1));
        assertThat(session.adapter.events)
                .filteredOn(event -> event.startsWith("transaction"))
                .containsExactly("transaction ACTIVE", "transaction UNKNOWN", "transaction ACTIVE", "transaction NONE");
    }

    @Test
    void schemaFollowsInitDbAndSessionTracking() {
        session.adapter.events.clear();
        exchange(Packets.command(Command.COM_INIT_DB, "'one'"), Packets.ok(1));
        exchange(Packets.command(Command.COM_INIT_DB, "'none'"), Packets.err(1, "Unknown database"));
        // OK with SERVER_SESSION_STATE_CHANGED: empty info, 6 bytes of changes: type 1, 4 bytes: length 3, 'two'
        exchange(Packets.query("USE two"), Hex.packet(1, "00 00 00 0240 0000", "00", "06", "01 04 03", "'two'"));
        assertThat(session.adapter.events)
                .filteredOn(event -> event.startsWith("schema"))
                .containsExactly("schema one", "schema two");
    }

    @Test
    void statementsAreTracked() {
        exchange(Packets.command(Command.COM_STMT_PREPARE, "'SELECT 1'"), PREPARED_1);
        assertThat(session.engine().openStatements()).isEqualTo(1);
        client.send(Packets.command(Command.COM_STMT_SEND_LONG_DATA, "01000000 0000", "'data'"));
        client.send(Packets.command(Command.COM_STMT_CLOSE, "01000000"));
        assertThat(session.engine().openStatements()).isZero();
        exchange(Packets.command(Command.COM_STMT_PREPARE, "'SELECT 1'"), PREPARED_1);
        exchange(Packets.command(Command.COM_RESET_CONNECTION), Packets.ok(1));
        assertThat(session.engine().openStatements()).isZero();
    }

    @Test
    void cursorIsOpenUntilItsLastRow() {
        openCursor();
        byte[] rows = Hex.join(Hex.packet(1, "00 00 01 '1'".split(" ")), Hex.packet(2, "fe 00 00 4200 0000"));
        exchange(Packets.command(Command.COM_STMT_FETCH, "01000000 01000000"), rows);
        assertThat(session.engine().openCursors()).isEqualTo(1);
        exchange(Packets.command(Command.COM_STMT_FETCH, "01000000 01000000"), Hex.packet(1, "fe 00 00 8200 0000"));
        assertThat(session.engine().openCursors()).isZero();
    }

    @Test
    void cursorIsClosedByResetCloseAndTheNextExecution() {
        openCursor();
        exchange(Packets.command(Command.COM_STMT_RESET, "01000000"), Packets.ok(1));
        assertThat(session.engine().openCursors()).isZero();
        openCursor();
        exchange(Packets.command(Command.COM_STMT_EXECUTE, "01000000 00 01000000"), Packets.ok(1));
        assertThat(session.engine().openCursors()).isZero();
        openCursor();
        client.send(Packets.command(Command.COM_STMT_CLOSE, "01000000"));
        assertThat(session.engine().openCursors()).isZero();
    }

    @Test
    void executionOfTheStatementPreparedLastMayBePipelined() {
        byte[] execute = Packets.command(Command.COM_STMT_EXECUTE, "ffffffff 01 01000000");
        client.send(Packets.command(Command.COM_STMT_PREPARE, "'SELECT 1'"), execute);
        backend.send(PREPARED_1, CURSOR_OPEN);
        assertThat(session.engine().openCursors()).isEqualTo(1);
        client.send(Packets.command(Command.COM_STMT_CLOSE, "01000000"));
        assertThat(session.engine().openCursors()).isZero();
    }

    @Test
    void changedUserHasNoStatementsAndNoTransaction() {
        openCursor();
        exchange(Packets.query("BEGIN"), Hex.packet(1, Packets.OK_IN_TRANSACTION));
        client.send(Packets.command(Command.COM_CHANGE_USER, "'bob'", "00 00 00 2d00 00 00"));
        backend.send(Packets.err(1, "denied"));
        assertThat(session.engine().phase()).isEqualTo(SessionPhase.COMMANDS);
        assertThat(session.engine().openStatements()).isZero();
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.NONE);
        assertThat(session.adapter.events).contains("refused 1064");
    }

    @Test
    void changeUserWaitsForWhatIsInFlightAndHoldsWhatFollows() {
        byte[] change = Packets.command(Command.COM_CHANGE_USER, "'bob'", "00 00 00 2d00 00 00");
        client.send(Packets.query("SELECT 1"), change, Packets.query("SELECT 2"));
        assertThat(backend.receiveRest()).isEqualTo(Packets.query("SELECT 1"));
        assertThat(session.adapter.clientPaused).isTrue();
        backend.send(Packets.resultSet());
        assertThat(backend.receiveRest()).isEqualTo(change);
        backend.send(Packets.ok(1));
        assertThat(backend.receiveRest()).isEqualTo(Packets.query("SELECT 2"));
        assertThat(session.adapter.clientPaused).isFalse();
    }

    /** MariaDB would greet again, and take new capabilities out of the answer. */
    @Test
    void changeUserWithoutAUserIsRefusedByTheProxy() {
        client.send(Packets.command(Command.COM_CHANGE_USER));
        assertThat(backend.receiveRest()).isEmpty();
        assertThat(ErrPacket.decode(SessionContractTest.receive(client, 1)).code())
                .isEqualTo(1047);
        SessionContractTest.roundTrip(session);
    }

    @Test
    void malformedChangeUserIsTheBackendsToRefuse() {
        byte[] change = Packets.command(Command.COM_CHANGE_USER, "'bob'");
        client.send(change);
        assertThat(backend.receiveRest()).isEqualTo(change);
        backend.send(Packets.err(1, "Unknown command"));
        SessionContractTest.receive(client, 1);
        SessionContractTest.roundTrip(session);
    }

    @Test
    void oversizeChangeUserIsRefused() {
        byte[] junk = new byte[SessionConfig.DEFAULT_MAX_LOGIN_PACKET + 1];
        client.send(Packets.bytes(
                new PayloadWriter().int1(Command.COM_CHANGE_USER.code()).bytes(junk), 0));
        assertThat(ErrPacket.decode(SessionContractTest.receive(client, 1)).code())
                .isEqualTo(1153);
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_PROTOCOL_ERROR);
    }

    @Test
    void clientIsNotReadWhileTooManyCommandsAreInFlight() {
        start(new SessionConfig(TlsMode.DISABLED, TlsMode.DISABLED, 72 * 1024, 64, 2, () -> Packets.PROXY_KEYS));
        byte[] ping = Packets.command(Command.COM_PING);
        client.send(ping, ping, ping, ping);
        assertThat(backend.receiveRest()).isEqualTo(Hex.join(ping, ping));
        assertThat(session.adapter.clientPaused).isTrue();
        backend.send(Packets.ok(1));
        assertThat(backend.receiveRest()).isEqualTo(ping);
        backend.send(Packets.ok(1));
        assertThat(backend.receiveRest()).isEqualTo(ping);
        backend.send(Packets.ok(1), Packets.ok(1));
        assertThat(session.adapter.clientPaused).isFalse();
    }

    @Test
    void processKillNamesTheBackendsThread() {
        client.send(
                Packets.command(Command.COM_PROCESS_KILL, "05000060"),
                Packets.command(Command.COM_PROCESS_KILL, "05000000"));
        assertThat(backend.receiveRest())
                .isEqualTo(Hex.join(
                        Packets.command(Command.COM_PROCESS_KILL, "4d000000"),
                        Packets.command(Command.COM_PROCESS_KILL, "05000000")));
    }

    @Test
    void killIsFoundByteByByte() {
        start(new MemoryHarness(Packets.plain(), available -> 1));
        client.send(Packets.query("/* c */ kill " + EngineHarness.OTHER_VIRTUAL_ID + " ;"), Packets.query("kill 9"));
        assertThat(backend.receiveRest())
                .isEqualTo(Hex.join(Packets.query("/* c */ kill 77 ;"), Packets.query("kill 9")));
    }

    @Test
    void severalFilesMayBeWantedByOneCommand() {
        client.send(Packets.query("LOAD DATA ..; LOAD DATA .."));
        backend.send(Hex.packet(1, "fb", "'a'"));
        client.send(Hex.packet(2, "'1'"), Hex.packet(3));
        backend.send(Hex.packet(4, "00 01 00 0a00 0000"), Hex.packet(5, "fb", "'b'"));
        client.send(Hex.packet(6));
        backend.send(Packets.ok(7));
        assertThat(session.engine().commandInFlight()).isNull();
        SessionContractTest.receive(client, 1);
        client.receiveRest();
        backend.receiveRest();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void fileMayStillComeAfterTheBackendHasRefusedIt() {
        client.send(Packets.query("LOAD DATA .."));
        backend.send(Hex.packet(1, "fb", "'a'"));
        client.send(Hex.packet(2, "'1'"));
        backend.send(Packets.err(3, "no"));
        client.send(Hex.packet(3, "'2'"), Hex.packet(4));
        client.receiveRest();
        backend.receiveRest();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void commandsBehindARequestForAFileBreakTheProtocol() {
        client.send(Packets.query("LOAD DATA .."), Packets.command(Command.COM_PING));
        backend.send(Hex.packet(1, "fb", "'a'"));
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_PROTOCOL_ERROR);
    }

    @Test
    void anErrBehindARequestForAFileFollowsTheWholeRequest() {
        byte[] wanted = Hex.packet(1, "fb", "'a'");
        for (int chunk : new int[] {1, 4, 100}) {
            start(new MemoryHarness(Packets.plain(), available -> chunk));
            client.send(Packets.query("LOAD DATA .."), Packets.command(Command.COM_PING));
            backend.send(wanted);
            assertThat(client.receive(wanted.length)).isEqualTo(wanted);
            assertThat(ErrPacket.decode(SessionContractTest.receive(client, 2)).code())
                    .isEqualTo(1156);
        }
    }

    @Test
    void commandMayBeAnsweredBeforeItIsComplete() {
        byte[] command = Packets.query("x".repeat(1000));
        client.send(Arrays.copyOf(command, 500));
        backend.send(Packets.err(1, "Got a packet bigger than 'max_allowed_packet' bytes"));
        client.send(Arrays.copyOfRange(command, 500, command.length));
        assertThat(session.engine().commandInFlight()).isNull();
        client.receiveRest();
        backend.receiveRest();
        SessionContractTest.roundTrip(session);
    }

    @Test
    void commandOutOfOrderIsAnsweredAndEndsTheSession() {
        client.send(Packets.command(Command.COM_PING), Hex.packet(3, "0e"));
        assertThat(backend.receiveRest()).isEqualTo(Packets.command(Command.COM_PING));
        assertThat(ErrPacket.decode(SessionContractTest.receive(client, 1)))
                .isEqualTo(new ErrPacket(1156, "08S01", "Got packets out of order"));
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_PROTOCOL_ERROR);
        assertThat(session.end().text()).contains("expected sequence id 0").contains("found 3");
    }

    @Test
    void commandOutOfOrderWithNothingInFlightIsAnsweredBehindItsOwnId() {
        client.send(Hex.packet(3, "0e"));
        assertThat(ErrPacket.decode(SessionContractTest.receive(client, 4)).code())
                .isEqualTo(1156);
    }

    private void start(SessionConfig config) {
        start(new MemoryHarness(config));
    }

    private void start(MemoryHarness harness) {
        session = harness;
        client = session.client();
        backend = session.backend();
        SessionContractTest.logIn(session);
    }

    private void openCursor() {
        exchange(Packets.command(Command.COM_STMT_PREPARE, "'SELECT 1'"), PREPARED_1);
        exchange(Packets.command(Command.COM_STMT_EXECUTE, "01000000 01 01000000"), CURSOR_OPEN);
        assertThat(session.engine().openCursors()).isEqualTo(1);
    }

    private void exchange(byte[] command, byte[] response) {
        client.send(command);
        backend.send(response);
        assertThat(Bytes.of(client.receiveRest())).isEqualTo(Bytes.of(response));
        assertThat(session.engine().commandInFlight()).isNull();
        backend.receiveRest();
    }
}

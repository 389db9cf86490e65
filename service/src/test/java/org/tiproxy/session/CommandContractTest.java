package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;

/**
 * What a session does for its two peers once the client is logged in, through whichever adapter carries it, and whether
 * the backend connection is its own or a pool's.
 */
public abstract class CommandContractTest {
    private static final int HEADER = 4;

    /** Opens a session over plain connections and logs in. */
    protected abstract EngineHarness openLoggedIn();

    @Test
    void commandsAndResponsesPassUnchanged() {
        try (EngineHarness session = openLoggedIn()) {
            roundTrip(session);
            roundTrip(session);
        }
    }

    @Test
    void pipelinedCommandsPassUnchanged() {
        try (EngineHarness session = openLoggedIn()) {
            byte[] commands =
                    Hex.join(Packets.query("SELECT 1"), Packets.command(Command.COM_PING), Packets.query("SELECT 2"));
            session.client().send(commands);
            assertThat(session.backend().receive(commands.length)).isEqualTo(commands);
            byte[] responses = Hex.join(Packets.resultSet(), Packets.ok(1), Packets.resultSet());
            session.backend().send(responses);
            assertThat(session.client().receive(responses.length)).isEqualTo(responses);
        }
    }

    @Test
    void largeResponseAndLargeCommandPassUnchanged() {
        try (EngineHarness session = openLoggedIn()) {
            byte[] text = new byte[3_000_000];
            new Random(1).nextBytes(text);
            byte[] command = Packets.bytes(
                    new PayloadWriter().int1(Command.COM_QUERY.code()).bytes(text), 0);
            session.client().send(command);
            assertThat(session.backend().receive(command.length)).isEqualTo(command);
            byte[] response = Hex.join(
                    Hex.packet(1, "01"),
                    Hex.packet(2, "03", "'def'"),
                    Packets.bytes(new PayloadWriter().lenencBytes(Bytes.of(text)), 3),
                    Hex.packet(4, "fe 00 00 0200 0000"));
            session.backend().send(response);
            assertThat(session.client().receive(response.length)).isEqualTo(response);
            roundTrip(session);
        }
    }

    @Test
    void killOfAnotherSessionNamesItsBackendsThread() {
        try (EngineHarness session = openLoggedIn()) {
            session.client()
                    .send(
                            Packets.command(Command.COM_PING),
                            Packets.query("KILL QUERY " + session.otherVirtualId()),
                            Packets.query("KILL 12"));
            byte[] expected = Hex.join(
                    Packets.command(Command.COM_PING),
                    Packets.query("KILL QUERY " + EngineHarness.OTHER_BACKEND_ID),
                    Packets.query("KILL 12"));
            assertThat(session.backend().receive(expected.length)).isEqualTo(expected);
        }
    }

    @Test
    void localFileGoesToTheBackend() {
        try (EngineHarness session = openLoggedIn()) {
            byte[] load = Packets.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t");
            session.client().send(load);
            session.backend().receive(load.length);
            byte[] request = Hex.packet(1, "fb", "'f'");
            session.backend().send(request);
            assertThat(session.client().receive(request.length)).isEqualTo(request);
            byte[] file = Hex.join(Hex.packet(2, "'1,2,3'"), Hex.packet(3, "'4,5,6'"), Hex.packet(4));
            session.client().send(file);
            assertThat(session.backend().receive(file.length)).isEqualTo(file);
            session.backend().send(Packets.ok(5));
            receive(session.client(), 5);
            roundTrip(session);
        }
    }

    @Test
    void lostBackendIsAnErrForTheCommandInFlight() {
        try (EngineHarness session = openLoggedIn()) {
            byte[] query = Packets.query("SELECT SLEEP(10)");
            session.client().send(query);
            session.backend().receive(query.length);
            session.backend().close();
            ErrPacket err = ErrPacket.decode(receive(session.client(), 1));
            assertThat(err.code()).isEqualTo(1158);
            assertThat(err.sqlState()).isEqualTo("08S01");
            assertThat(err.message()).contains("COM_QUERY");
            session.client().expectClosed();
            assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_CLOSED);
            assertThat(session.end().source()).isEqualTo(ErrorSource.BACKEND);
        }
    }

    @Test
    void killedSessionIsToldWhy() {
        try (EngineHarness session = openLoggedIn()) {
            byte[] query = Packets.query("SELECT SLEEP(10)");
            session.client().send(query);
            session.backend().receive(query.length);
            session.actions().kill(new ProxyException(ProxyError.CLOSED_BY_OPERATOR, "closed by an operator"));
            ErrPacket err = ErrPacket.decode(receive(session.client(), 1));
            assertThat(err.message()).isEqualTo("closed by an operator");
            session.client().expectClosed();
            assertThat(session.end().reason()).isEqualTo(EndReason.KILLED);
        }
    }

    /** One query and its result. */
    static void roundTrip(EngineHarness session) {
        byte[] query = Packets.query("SELECT 1");
        session.client().send(query);
        assertThat(session.backend().receive(query.length)).isEqualTo(query);
        byte[] result = Packets.resultSet();
        session.backend().send(result);
        assertThat(session.client().receive(result.length)).isEqualTo(result);
    }

    /** Receives one packet and checks its sequence id. */
    static Bytes receive(Peer peer, int sequenceId) {
        byte[] header = peer.receive(HEADER);
        PayloadReader reader = new PayloadReader("header", header);
        int length = reader.int3("length");
        assertThat(reader.int1("sequence id")).isEqualTo(sequenceId);
        return Bytes.of(peer.receive(length));
    }
}

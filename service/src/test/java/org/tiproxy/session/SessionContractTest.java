package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadReader;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

/** What a session does for its two peers, through whichever adapter carries it. Adapters run it by a subclass. */
public abstract class SessionContractTest {
    private static final int HEADER = 4;

    /** Opens a session whose client has just connected. */
    protected abstract EngineHarness open(SessionConfig config);

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void loginPassesWithTheSequenceIdsOfEachLeg(boolean clientTls, boolean backendTls) {
        SessionConfig config = Packets.config(
                clientTls ? TlsMode.REQUIRED : TlsMode.DISABLED, backendTls ? TlsMode.REQUIRED : TlsMode.DISABLED);
        try (EngineHarness session = open(config)) {
            Peer client = session.client();
            Peer backend = session.backend();
            backend.send(Packets.greeting());
            HandshakeV10 greeting = HandshakeV10.decode(receive(client, 0));
            assertThat(greeting.connectionId()).isEqualTo(session.connectionId());
            assertThat(Capability.CLIENT_SSL.isIn(greeting.capabilities())).isEqualTo(clientTls);

            int clientSequence = 1;
            long capabilities = Packets.CLIENT_CAPABILITIES;
            if (clientTls) {
                capabilities |= Capability.CLIENT_SSL.mask();
                client.send(Packets.sslRequest(capabilities));
                client.startTls();
                clientSequence++;
            }
            client.send(Packets.bytes(
                    Packets.response(capabilities, "mysql_native_password", Bytes.ofUtf8("scrambled"))
                            .encode(),
                    clientSequence++));
            int backendSequence = 1;
            if (backendTls) {
                assertThat(SslRequest.matches(receive(backend, backendSequence++)))
                        .isTrue();
                backend.startTls();
            }
            HandshakeResponse41 response = HandshakeResponse41.decode(receive(backend, backendSequence++));
            assertThat(response.user().utf8()).isEqualTo("root");
            assertThat(Capability.CLIENT_SSL.isIn(response.capabilities())).isEqualTo(backendTls);

            backend.send(Hex.packet(backendSequence++, "fe 'mysql_native_password' 00".split(" ")));
            receive(client, clientSequence++);
            client.send(Hex.packet(clientSequence++, "'reply'"));
            assertThat(receive(backend, backendSequence++).utf8()).isEqualTo("reply");
            backend.send(Packets.ok(backendSequence));
            receive(client, clientSequence);
            roundTrip(session);
        }
    }

    @Test
    void refusedLoginEndsBothConnectionsWithTheBackendsOwnText() {
        try (EngineHarness session = open(Packets.plain())) {
            Peer backend = session.backend();
            backend.send(Packets.greeting());
            receive(session.client(), 0);
            session.client().send(Packets.response(1));
            receive(backend, 1);
            backend.send(Hex.packet(2, "ff 1504 '#28000Access denied'".split(" ", 3)));
            assertThat(ErrPacket.decode(receive(session.client(), 2)).message()).isEqualTo("Access denied");
            session.client().expectClosed();
            assertThat(session.end().reason()).isEqualTo(EndReason.LOGIN_REFUSED);
        }
    }

    @Test
    void unreachableBackendIsAnErrInPlaceOfTheGreeting() {
        try (EngineHarness session = open(Packets.plain())) {
            session.refuseBackend(new ProxyException(ProxyError.BACKEND_UNREACHABLE, "127.0.0.1:1 refused after 3 ms"));
            ErrPacket err = ErrPacket.decode(receive(session.client(), 0));
            assertThat(err.code()).isEqualTo(1158);
            assertThat(err.sqlState()).isEqualTo("08S01");
            assertThat(err.message()).isEqualTo("127.0.0.1:1 refused after 3 ms");
            session.client().expectClosed();
            assertThat(session.end())
                    .isEqualTo(new SessionEnd(
                            ErrorSource.BACKEND, EndReason.BACKEND_UNAVAILABLE, "127.0.0.1:1 refused after 3 ms"));
        }
    }

    @Test
    void commandsAndResponsesPassUnchanged() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
            roundTrip(session);
            roundTrip(session);
        }
    }

    @Test
    void pipelinedCommandsPassUnchanged() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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
    void changedUserLogsInAgainOnTheSameConnection() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
            byte[] change = Packets.command(
                    Command.COM_CHANGE_USER, "'bob'", "00 00", "'db'", "00 2d00", "'mysql_native_password'", "00 00");
            session.client().send(change);
            assertThat(session.backend().receive(change.length)).isEqualTo(change);
            session.backend().send(Hex.packet(1, "fe 'mysql_native_password' 00 'abcdefghijklmnopqrst' 00".split(" ")));
            receive(session.client(), 1);
            session.client().send(Hex.packet(2, "'reply'"));
            receive(session.backend(), 2);
            session.backend().send(Packets.ok(3));
            receive(session.client(), 3);
            roundTrip(session);
        }
    }

    @Test
    void lostBackendIsAnErrForTheCommandInFlight() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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
    void lostClientEndsTheBackendsSession() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
            session.client().close();
            assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_CLOSED);
            assertThat(session.end().source()).isEqualTo(ErrorSource.CLIENT);
            byte[] quit = Packets.command(Command.COM_QUIT);
            assertThat(session.backend().receive(quit.length)).isEqualTo(quit);
            session.backend().expectClosed();
        }
    }

    @Test
    void quitIsNoError() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
            byte[] quit = Packets.command(Command.COM_QUIT);
            session.client().send(quit);
            assertThat(session.backend().receive(quit.length)).isEqualTo(quit);
            session.backend().close();
            session.client().expectClosed();
            assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_QUIT);
        }
    }

    @Test
    void killedSessionIsToldWhy() {
        try (EngineHarness session = open(Packets.plain())) {
            logIn(session);
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

    @Test
    void httpClientIsClosedWithoutAnAnswer() {
        try (EngineHarness session = open(Packets.plain())) {
            session.backend().send(Packets.greeting());
            receive(session.client(), 0);
            session.client().send("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            session.client().expectClosed();
            assertThat(session.end().reason()).isEqualTo(EndReason.SPEAKS_HTTP);
        }
    }

    /** Logs in over plain connections. */
    static void logIn(EngineHarness session) {
        Peer client = session.client();
        Peer backend = session.backend();
        backend.send(Packets.greeting());
        receive(client, 0);
        client.send(Packets.response(1));
        receive(backend, 1);
        backend.send(Packets.ok(2));
        receive(client, 2);
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

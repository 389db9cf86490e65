package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

/** What a session does for its two peers, through whichever adapter carries it. Adapters run it by a subclass. */
public abstract class SessionContractTest extends CommandContractTest {

    /** Opens a session whose client has just connected. */
    protected abstract EngineHarness open(SessionConfig config);

    @Override
    protected final EngineHarness openLoggedIn() {
        EngineHarness session = open(Packets.plain());
        logIn(session);
        return session;
    }

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
}

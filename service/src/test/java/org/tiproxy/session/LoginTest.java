package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;

class LoginTest {
    private static final byte[] QUIT = Hex.packet(0, "01");

    @Test
    void onlyConnectionIdAndCapabilitiesOfTheGreetingChange() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        byte[] greeting = Packets.greeting();
        session.backend().send(greeting);
        byte[] changed = session.client().receive(greeting.length);
        // header 4, version 1, "8.4.3" 6, thread id 4, scramble 8, filler 1, capabilities 2, charset 1, status 2, 2
        // more
        assertThat(Arrays.copyOfRange(changed, 11, 15)).isEqualTo(new byte[] {1, 0, 0, 0x60});
        for (int i = 0; i < greeting.length; i++) {
            boolean mayChange = (i >= 11 && i < 15) || (i >= 24 && i < 26) || (i >= 29 && i < 31);
            if (!mayChange) {
                assertThat(changed[i]).as("byte " + i).isEqualTo(greeting[i]);
            }
        }
    }

    @Test
    void featuresThatTheScannersDoNotKnowAreNotOffered() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        session.backend().send(Packets.greeting());
        long offered = HandshakeV10.decode(SessionContractTest.receive(session.client(), 0))
                .capabilities();
        assertThat(Capability.namesIn(Packets.MYSQL_CAPABILITIES & ~offered))
                .containsExactly(
                        Capability.CLIENT_COMPRESS,
                        Capability.CLIENT_SSL,
                        Capability.CLIENT_OPTIONAL_RESULTSET_METADATA,
                        Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM,
                        Capability.CLIENT_QUERY_ATTRIBUTES,
                        Capability.MULTI_FACTOR_AUTHENTICATION);
    }

    @Test
    void ofMariaDbsFlagsOnlyTheHarmlessPass() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        long mariaDb =
                (Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_LONG_PASSWORD.mask()) | Capability.MARIADB_EXTENDED;
        HandshakeV10 greeting =
                new HandshakeV10("5.5.5-10.11.9-MariaDB", 7, Packets.SCRAMBLE, mariaDb, 45, 2, "mysql_native_password");
        session.backend().send(Packets.bytes(greeting.encode(), 0));
        long offered = HandshakeV10.decode(SessionContractTest.receive(session.client(), 0))
                .capabilities();
        assertThat(Capability.namesIn(offered & Capability.MARIADB_EXTENDED))
                .containsExactly(
                        Capability.MARIADB_CLIENT_STMT_BULK_OPERATIONS,
                        Capability.MARIADB_CLIENT_EXTENDED_METADATA,
                        Capability.MARIADB_CLIENT_BULK_UNIT_RESULTS);

        long client = Packets.CLIENT_CAPABILITIES & ~Capability.CLIENT_LONG_PASSWORD.mask();
        client |= Capability.MARIADB_EXTENDED | Capability.CLIENT_COMPRESS.mask();
        session.client()
                .send(Packets.bytes(
                        Packets.response(client, "mysql_native_password", Bytes.EMPTY)
                                .encode(),
                        1));
        HandshakeResponse41 response = HandshakeResponse41.decode(SessionContractTest.receive(session.backend(), 1));
        assertThat(response.capabilities() & Capability.MARIADB_EXTENDED)
                .isEqualTo(offered & Capability.MARIADB_EXTENDED);
        assertThat(Capability.CLIENT_COMPRESS.isIn(response.capabilities())).isFalse();
        session.backend().send(Packets.ok(2));
        assertThat(session.engine().login())
                .isEqualTo(new Login(
                        "root",
                        "test",
                        response.capabilities() & mariaDb,
                        "5.5.5-10.11.9-MariaDB",
                        ServerFamily.MARIADB,
                        7,
                        false,
                        false));
    }

    @ParameterizedTest
    @CsvSource({"8.4.3,MYSQL", "8.0.11-TiDB-v8.5.0,TIDB", "11.4.5-MariaDB,MARIADB"})
    void familyIsToldByTheVersion(String version, ServerFamily family) {
        HandshakeV10 greeting = new HandshakeV10(version, 7, Packets.SCRAMBLE, Packets.MYSQL_CAPABILITIES, 45, 2, "");
        assertThat(ServerFamily.of(greeting)).isEqualTo(family);
    }

    @Test
    void errInPlaceOfTheGreetingReachesTheClientAsItIs() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        byte[] err = Hex.packet(0, "ff 1004", "'Too many connections'");
        session.backend().send(err);
        assertThat(session.client().receiveRest()).isEqualTo(err);
        assertThat(session.end().reason()).isEqualTo(EndReason.BACKEND_REFUSED);
        assertThat(session.end().text()).contains("ERR 1040 Too many connections");
    }

    @ParameterizedTest
    @CsvSource({"GET / HTTP/1.1,SPEAKS_HTTP", "POST /x,SPEAKS_HTTP", "hello server,SPOKE_FIRST"})
    void clientThatSpeaksFirstIsClosedWithoutAnAnswer(String text, EndReason reason) {
        for (boolean greeted : new boolean[] {false, true}) {
            MemoryHarness session = new MemoryHarness(Packets.plain(), available -> 1);
            if (greeted && reason != EndReason.SPOKE_FIRST) {
                session.backend().send(Packets.greeting());
                session.client().receiveRest();
            }
            session.client().send(text.getBytes(StandardCharsets.US_ASCII));
            assertThat(session.end().reason()).isEqualTo(reason);
            assertThat(session.client().receiveRest()).isEmpty();
        }
    }

    @ParameterizedTest
    // A record of 512 bytes, and one whose length makes byte 3 the sequence id that is expected.
    @ValueSource(strings = {"16 03 01 02 00 01", "16 03 01 01 20 01", "16 03 03 00 a0 01"})
    void tlsHelloWithoutSslRequestIsClosedWithoutAnAnswer(String hello) {
        MemoryHarness session = new MemoryHarness(Packets.config(TlsMode.PREFERRED, TlsMode.DISABLED));
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        session.client().send(Hex.bytes(hello).toByteArray());
        assertThat(session.end().reason()).isEqualTo(EndReason.SPEAKS_TLS);
        assertThat(session.client().receiveRest()).isEmpty();
    }

    @Test
    void oversizePacketIsRefusedByItsHeader() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().send(new byte[] {0, 0, 0x10, 1});
        expectErr(session, 2, 1153, EndReason.LOGIN_PACKET_TOO_LARGE);
    }

    @Test
    void wrongSequenceIdIsRefused() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().send(Packets.response(5));
        ErrPacket err = ErrPacket.decode(SessionContractTest.receive(session.client(), 6));
        assertThat(err).isEqualTo(new ErrPacket(1156, "08S01", "Got packets out of order"));
        assertThat(session.end().reason()).isEqualTo(EndReason.LOGIN_OUT_OF_ORDER);
        assertThat(session.end().text())
                .startsWith("expected sequence id 1 of a packet")
                .contains("found 5");
    }

    @Test
    void oldProtocolIsRefused() {
        MemoryHarness session = greeted(Packets.plain());
        // capabilities without CLIENT_PROTOCOL_41, max packet size, user, reply
        session.client().send(Hex.packet(1, "0500", "000000", "'root'", "00", "'reply123'"));
        expectErr(session, 2, 1043, EndReason.OLD_PROTOCOL);
    }

    @Test
    void shortPacketIsRefused() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().send(Hex.packet(1, "0082 0000 00"));
        expectErr(session, 2, 1043, EndReason.MALFORMED_LOGIN);
    }

    @Test
    void clientWithoutTlsIsRefusedWhereItIsRequired() {
        MemoryHarness session = greeted(Packets.config(TlsMode.REQUIRED, TlsMode.DISABLED));
        session.client().send(Packets.response(1));
        expectErr(session, 2, 3159, EndReason.TLS_REQUIRED);
    }

    @Test
    void clientThatWantsTlsIsRefusedWhereItIsNotOffered() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().send(Packets.sslRequest(Packets.CLIENT_CAPABILITIES));
        expectErr(session, 2, 1043, EndReason.TLS_NOT_OFFERED);
    }

    @Test
    void whatFollowsTheSslRequestBelongsToTls() {
        MemoryHarness session = greeted(Packets.config(TlsMode.PREFERRED, TlsMode.DISABLED));
        session.client()
                .send(
                        Packets.sslRequest(Packets.CLIENT_CAPABILITIES),
                        Hex.bytes("16 03 01").toByteArray());
        assertThat(session.engine().phase()).isEqualTo(SessionPhase.CLIENT_TLS);
        assertThat(session.adapter.clientTlsAsked).isTrue();
        session.client().close();
        assertThat(session.end().reason()).isEqualTo(EndReason.CLIENT_TLS_FAILED);
    }

    @Test
    void secondSslRequestIsRefused() {
        MemoryHarness session = greeted(Packets.config(TlsMode.PREFERRED, TlsMode.DISABLED));
        byte[] request = Packets.sslRequest(Packets.CLIENT_CAPABILITIES);
        session.client().send(request);
        session.client().startTls();
        request[3] = 2;
        session.client().send(request);
        expectErr(session, 3, 1043, EndReason.MALFORMED_LOGIN);
    }

    @Test
    void backendWithoutTlsIsRefusedWhereItIsRequired() {
        MemoryHarness session = new MemoryHarness(Packets.config(TlsMode.DISABLED, TlsMode.REQUIRED));
        long withoutTls = Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_SSL.mask();
        session.backend().send(Packets.bytes(Packets.greetingOf(withoutTls, "").encode(), 0));
        expectErr(session, 0, 1158, EndReason.BACKEND_WITHOUT_TLS);
    }

    @Test
    void backendWithoutTlsIsUsedWhereTlsIsOnlyPreferred() {
        MemoryHarness session = new MemoryHarness(Packets.config(TlsMode.DISABLED, TlsMode.PREFERRED));
        long withoutTls = Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_SSL.mask();
        session.backend().send(Packets.bytes(Packets.greetingOf(withoutTls, "").encode(), 0));
        session.client().send(Packets.response(1));
        assertThat(session.engine().phase()).isEqualTo(SessionPhase.AUTHENTICATION);
        assertThat(session.adapter.backendTlsAsked).isFalse();
    }

    @Test
    void commandSentBehindTheLoginWaitsForIt() {
        MemoryHarness session = greeted(Packets.plain());
        byte[] response = Packets.response(1);
        session.client().send(response, Packets.query("SELECT 1"));
        assertThat(session.backend().receiveRest()).hasSize(response.length);
        assertThat(session.adapter.clientPaused).isTrue();
        session.backend().send(Packets.ok(2));
        assertThat(session.adapter.clientPaused).isFalse();
        assertThat(session.backend().receiveRest()).isEqualTo(Packets.query("SELECT 1"));
    }

    @Test
    void okOfTheLoginPassesUnchangedAndTellsTheStatus() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().send(Packets.response(1));
        // MariaDB 11.4: info with a hash of the certificate
        byte[] ok = Hex.packet(2, Packets.OK_IN_TRANSACTION, "05", "01", "'A123'");
        session.backend().send(ok);
        assertThat(session.client().receiveRest()).isEqualTo(ok);
        assertThat(session.engine().transaction()).isEqualTo(TransactionState.ACTIVE);
        assertThat(session.adapter.events).contains("login root/test");
    }

    @Test
    void timeToLogInNamesWhoWasSlow() {
        MemoryHarness session = greeted(Packets.plain());
        session.actions().loginTimedOut();
        expectErr(session, 2, 1159, EndReason.LOGIN_TIMED_OUT);
        assertThat(session.end().text()).contains("waited for the client in phase HANDSHAKE");
    }

    @Test
    void timeToLogInDoesNotMatterAfterTheLogin() {
        MemoryHarness session = new MemoryHarness(Packets.plain());
        SessionContractTest.logIn(session);
        session.actions().loginTimedOut();
        assertThat(session.engine().phase()).isEqualTo(SessionPhase.COMMANDS);
    }

    @Test
    void closeBeforeTheLoginIsAHandshakeFailure() {
        MemoryHarness session = greeted(Packets.plain());
        session.client().close();
        assertThat(session.end().reason()).isEqualTo(EndReason.CLOSED_BEFORE_LOGIN);
        assertThat(session.end().reason().isHandshakeFailure()).isTrue();
        assertThat(session.backend().receiveRest()).isNotEqualTo(QUIT);
    }

    private static MemoryHarness greeted(SessionConfig config) {
        MemoryHarness session = new MemoryHarness(config);
        session.backend().send(Packets.greeting());
        session.client().receiveRest();
        return session;
    }

    private static void expectErr(MemoryHarness session, int sequenceId, int code, EndReason reason) {
        ErrPacket err = ErrPacket.decode(SessionContractTest.receive(session.client(), sequenceId));
        assertThat(err.code()).isEqualTo(code);
        assertThat(session.end().reason()).isEqualTo(reason);
        assertThat(session.end().text()).isEqualTo(err.message());
    }
}

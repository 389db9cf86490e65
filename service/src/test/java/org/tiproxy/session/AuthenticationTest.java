package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.auth.ClientEd25519;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;

/** Authentication with a client and a backend that compute what real ones do. */
class AuthenticationTest {
    private static final Bytes PASSWORD = Bytes.ofUtf8("s3cret");
    private static final Bytes NONCE = Bytes.ofUtf8("tsrqponmlkjihgfedcba");

    /** A session between the handshake response and the end of the authentication. */
    private static final class Conversation {
        final MemoryHarness session;
        final Peer client;
        final Peer backend;
        final boolean clientTls;
        final boolean backendTls;
        int clientSequence;
        int backendSequence;
        Bytes response = Bytes.EMPTY;

        Conversation(boolean clientTls, boolean backendTls) {
            this.clientTls = clientTls;
            this.backendTls = backendTls;
            session = new MemoryHarness(Packets.config(
                    clientTls ? TlsMode.REQUIRED : TlsMode.DISABLED, backendTls ? TlsMode.REQUIRED : TlsMode.DISABLED));
            client = session.client();
            backend = session.backend();
        }

        Conversation start(String plugin, Bytes auth) {
            backend.send(Packets.greeting(plugin));
            SessionContractTest.receive(client, 0);
            clientSequence = 1;
            backendSequence = 1;
            long capabilities = Packets.CLIENT_CAPABILITIES | (clientTls ? Capability.CLIENT_SSL.mask() : 0);
            if (clientTls) {
                client.send(Packets.sslRequest(capabilities));
                client.startTls();
                clientSequence++;
            }
            clientSends(Bytes.of(
                    Packets.response(capabilities, plugin, auth).encode().toByteArray()));
            if (session.engine().phase() == SessionPhase.BACKEND_TLS) {
                backendReceives();
                backend.startTls();
            }
            if (session.adapter.end == null) {
                response = backendReceives();
            }
            return this;
        }

        void clientSends(Bytes payload) {
            client.send(Packets.bytes(new PayloadWriter().bytes(payload), clientSequence++));
        }

        void backendSends(Bytes payload) {
            backend.send(Packets.bytes(new PayloadWriter().bytes(payload), backendSequence++));
        }

        Bytes clientReceives() {
            return SessionContractTest.receive(client, clientSequence++);
        }

        Bytes backendReceives() {
            return SessionContractTest.receive(backend, backendSequence++);
        }

        Bytes relayToClient(Bytes payload) {
            backendSends(payload);
            Bytes relayed = clientReceives();
            assertThat(relayed).isEqualTo(payload);
            return relayed;
        }

        void relayToBackend(Bytes payload) {
            clientSends(payload);
            assertThat(backendReceives()).isEqualTo(payload);
        }

        void succeed() {
            relayToClient(Hex.bytes(Packets.OK));
            assertThat(session.engine().phase()).isEqualTo(SessionPhase.COMMANDS);
            SessionContractTest.roundTrip(session);
        }

        /** What the client does when it is asked for the password. */
        void clientAnswersFullAuthentication(int keyRequest, Bytes nonce) {
            if (clientTls) {
                clientSends(CachingSha2Password.cleartext(PASSWORD));
                return;
            }
            clientSends(Bytes.of((byte) keyRequest));
            if (!backendTls) {
                backendAnswersKeyRequest(keyRequest);
            }
            Bytes pem = AuthMoreData.decode(clientReceives()).data();
            clientSends(CachingSha2Password.encrypt(PASSWORD, nonce, CachingSha2Password.publicKey(pem)));
        }

        /** What the backend does after it has asked for the password; gives the password it has got. */
        Bytes backendReceivesPassword(int keyRequest, Bytes nonce) {
            if (backendTls) {
                Bytes cleartext = backendReceives();
                return cleartext.first(cleartext.length() - 1);
            }
            if (clientTls) {
                backendAnswersKeyRequest(keyRequest);
            }
            return CachingSha2Password.decrypt(backendReceives(), nonce, Packets.BACKEND_KEYS.getPrivate());
        }

        private void backendAnswersKeyRequest(int keyRequest) {
            assertThat(backendReceives()).isEqualTo(Bytes.of((byte) keyRequest));
            Bytes pem = CachingSha2Password.pem(Packets.BACKEND_KEYS.getPublic());
            backendSends(Bytes.of(new AuthMoreData(pem).encode().toByteArray()));
        }
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void cachingSha2FullAuthenticationGivesTheBackendThePassword(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("caching_sha2_password", hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientAnswersFullAuthentication(2, Packets.SCRAMBLE);
        assertThat(talk.backendReceivesPassword(2, Packets.SCRAMBLE)).isEqualTo(PASSWORD);
        talk.succeed();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void scrambleOfTheLastSwitchCounts(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("mysql_native_password", hash());
        talk.relayToClient(switchTo("caching_sha2_password"));
        talk.relayToBackend(hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientAnswersFullAuthentication(2, NONCE);
        assertThat(talk.backendReceivesPassword(2, NONCE)).isEqualTo(PASSWORD);
        talk.succeed();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void sha256PasswordGivesTheBackendThePassword(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("mysql_native_password", hash());
        talk.relayToClient(switchTo("sha256_password"));
        talk.clientAnswersFullAuthentication(1, NONCE);
        assertThat(talk.backendReceivesPassword(1, NONCE)).isEqualTo(PASSWORD);
        talk.succeed();
    }

    @Test
    void passwordInTheHandshakeResponseDoesNotReachABackendWithoutTls() {
        Conversation talk =
                new Conversation(true, false).start("sha256_password", CachingSha2Password.cleartext(PASSWORD));
        HandshakeResponse41 response = HandshakeResponse41.decode(talk.response);
        assertThat(response.authResponse()).isEqualTo(Bytes.EMPTY);
        assertThat(response.authPluginName()).isNotEqualTo("sha256_password");
        assertThat(response.schema().utf8()).isEqualTo("test");
        assertThat(response.attributes().encoded().isEmpty()).isFalse();
        talk.relayToClient(switchTo("sha256_password"));
        talk.clientAnswersFullAuthentication(1, NONCE);
        assertThat(talk.backendReceivesPassword(1, NONCE)).isEqualTo(PASSWORD);
        talk.succeed();
    }

    @Test
    void emptySha256PasswordPasses() {
        Conversation talk = new Conversation(true, false).start("mysql_native_password", hash());
        talk.relayToClient(switchTo("sha256_password"));
        talk.relayToBackend(Hex.bytes("00"));
        talk.succeed();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void fastAuthenticationNeedsNoAnswerOfTheClient(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("caching_sha2_password", hash());
        talk.backend.send(Hex.packet(talk.backendSequence++, "01 03"), Hex.packet(talk.backendSequence++, Packets.OK));
        assertThat(talk.clientReceives()).isEqualTo(Hex.bytes("01 03"));
        assertThat(talk.clientReceives()).isEqualTo(Hex.bytes(Packets.OK));
        SessionContractTest.roundTrip(talk.session);
    }

    @Test
    void clientWithTlsMayStillAskForTheKey() {
        Conversation talk = new Conversation(true, false).start("caching_sha2_password", hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.relayToBackend(Hex.bytes("02"));
        Bytes pem = CachingSha2Password.pem(Packets.BACKEND_KEYS.getPublic());
        talk.relayToClient(Bytes.of(new AuthMoreData(pem).encode().toByteArray()));
        talk.relayToBackend(CachingSha2Password.encrypt(PASSWORD, Packets.SCRAMBLE, Packets.BACKEND_KEYS.getPublic()));
        talk.succeed();
    }

    @Test
    void passwordEncryptedWithAnotherKeyIsRefused() {
        Conversation talk = new Conversation(false, true).start("caching_sha2_password", hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientSends(CachingSha2Password.encrypt(PASSWORD, Packets.SCRAMBLE, Packets.BACKEND_KEYS.getPublic()));
        ErrPacket err = ErrPacket.decode(talk.clientReceives());
        assertThat(err.code()).isEqualTo(1251);
        assertThat(err.message()).contains("not encrypted with the proxy's RSA key");
        assertThat(talk.session.end().reason()).isEqualTo(EndReason.AUTHENTICATION_IMPOSSIBLE);
        assertThat(talk.session.end().source()).isEqualTo(ErrorSource.CLIENT);
    }

    @Test
    void errInPlaceOfTheKeyReachesTheClient() {
        Conversation talk = new Conversation(true, false).start("caching_sha2_password", hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientSends(CachingSha2Password.cleartext(PASSWORD));
        assertThat(talk.backendReceives()).isEqualTo(Hex.bytes("02"));
        talk.relayToClient(Hex.bytes("ff 1504", "'#28000denied'"));
        assertThat(talk.session.end().reason()).isEqualTo(EndReason.LOGIN_REFUSED);
    }

    @Test
    void backendThatSendsNoKeyBreaksTheProtocol() {
        Conversation talk = new Conversation(true, false).start("caching_sha2_password", hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientSends(CachingSha2Password.cleartext(PASSWORD));
        talk.backendReceives();
        talk.backendSends(Hex.bytes("01", "'no key'"));
        assertThat(ErrPacket.decode(talk.clientReceives()).code()).isEqualTo(1158);
        assertThat(talk.session.end().reason()).isEqualTo(EndReason.BACKEND_PROTOCOL_ERROR);
        assertThat(talk.session.end().text()).doesNotContain("no key").doesNotContain("s3cret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mysql_clear_password", "tidb_session_token", "tidb_auth_token"})
    void clientsWithoutTlsAreNeverAskedForTheirPasswordInCleartext(String plugin) {
        Conversation switched = new Conversation(false, true).start("mysql_native_password", hash());
        switched.backendSends(switchTo(plugin));
        expectRefusal(switched, plugin);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mysql_clear_password", "tidb_session_token", "tidb_auth_token"})
    void cleartextPluginsNeverReachABackendWithoutTls(String plugin) {
        Conversation switched = new Conversation(true, false).start("mysql_native_password", hash());
        switched.backendSends(switchTo(plugin));
        expectRefusal(switched, plugin);

        Conversation named = new Conversation(true, false).start(plugin, CachingSha2Password.cleartext(PASSWORD));
        assertThat(named.backend.receiveRest()).isEmpty();
        expectRefusal(named, plugin);
    }

    @Test
    void cleartextPluginPassesOverTls() {
        Conversation talk = new Conversation(true, true).start("mysql_native_password", hash());
        talk.relayToClient(switchTo("mysql_clear_password"));
        talk.relayToBackend(CachingSha2Password.cleartext(PASSWORD));
        talk.succeed();
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void switchesMayFollowEachOther(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("mysql_native_password", hash());
        talk.relayToClient(switchTo("client_ed25519"));
        talk.relayToBackend(new ClientEd25519().reply(PASSWORD, NONCE));
        talk.relayToClient(switchTo("mysql_native_password"));
        talk.relayToBackend(Bytes.EMPTY);
        talk.relayToClient(Bytes.of((byte) 0xfe));
        talk.relayToBackend(Bytes.ofUtf8("oldhash8"));
        talk.succeed();
    }

    @Test
    void questionsOfADialogPass() {
        Conversation talk = new Conversation(false, false).start("mysql_native_password", hash());
        talk.relayToClient(Hex.bytes("fe", "'dialog'", "00 04", "'Password: '"));
        talk.relayToBackend(Hex.bytes("'pw'", "00"));
        // The next question starts with its kind, not with a header: 2 is no AuthNextFactor here.
        talk.relayToClient(Hex.bytes("02", "'PIN: '"));
        talk.relayToBackend(Hex.bytes("'1234'", "00"));
        talk.succeed();
    }

    @Test
    void endlessAuthenticationIsCutOff() {
        Conversation talk = new Conversation(false, false).start("mysql_native_password", hash());
        for (int i = 0; i < SessionConfig.DEFAULT_MAX_LOGIN_PACKETS; i++) {
            talk.relayToClient(switchTo("mysql_native_password"));
            talk.relayToBackend(Bytes.EMPTY);
        }
        talk.relayToClient(switchTo("mysql_native_password"));
        talk.clientSends(Bytes.EMPTY);
        assertThat(talk.session.end().reason()).isEqualTo(EndReason.TOO_MANY_LOGIN_PACKETS);
    }

    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void changeUserAuthenticatesLikeALogin(boolean clientTls, boolean backendTls) {
        Conversation talk = new Conversation(clientTls, backendTls).start("mysql_native_password", hash());
        talk.succeed();
        talk.clientSequence = 0;
        talk.backendSequence = 0;
        talk.relayToBackend(Hex.bytes("11", "'bob'", "00 00", "'db2'", "00 2d00", "'caching_sha2_password'", "00 00"));
        talk.relayToClient(switchTo("caching_sha2_password"));
        talk.relayToBackend(hash());
        talk.relayToClient(Hex.bytes("01 04"));
        talk.clientAnswersFullAuthentication(2, NONCE);
        assertThat(talk.backendReceivesPassword(2, NONCE)).isEqualTo(PASSWORD);
        talk.succeed();
        assertThat(talk.session.adapter.events)
                .contains("begin COM_CHANGE_USER", "end COM_CHANGE_USER", "login bob/db2");
    }

    @Test
    void changeUserWithACleartextPluginIsRefusedBeforeItIsSent() {
        Conversation talk = new Conversation(true, false).start("mysql_native_password", hash());
        talk.succeed();
        talk.client.send(Packets.command(
                Command.COM_CHANGE_USER, "'bob'", "00 03", "'pw'", "00 00 2d00", "'mysql_clear_password'", "00 00"));
        assertThat(ErrPacket.decode(SessionContractTest.receive(talk.client, 1)).code())
                .isEqualTo(1251);
        SessionContractTest.roundTrip(talk.session);
    }

    @Test
    void passwordInChangeUserDoesNotReachABackendWithoutTls() {
        Conversation talk = new Conversation(true, false).start("mysql_native_password", hash());
        talk.succeed();
        talk.client.send(Packets.command(
                Command.COM_CHANGE_USER,
                "'bob'",
                "00 03",
                "'pw'",
                "00",
                "'db'",
                "00 2d00",
                "'sha256_password'",
                "00 00"));
        assertThat(SessionContractTest.receive(talk.backend, 0))
                .isEqualTo(Hex.bytes("11", "'bob'", "00 00", "'db'", "00 2d00", "'tiproxy_ask_again'", "00 00"));
    }

    private static void expectRefusal(Conversation talk, String plugin) {
        ErrPacket err = ErrPacket.decode(talk.clientReceives());
        assertThat(err.code()).isEqualTo(1251);
        assertThat(err.message()).startsWith(plugin).contains("no TLS");
        assertThat(talk.session.end().reason()).isEqualTo(EndReason.AUTHENTICATION_IMPOSSIBLE);
        assertThat(talk.session.end().source()).isEqualTo(ErrorSource.PROXY);
    }

    private static Bytes hash() {
        return new CachingSha2Password().reply(PASSWORD, Packets.SCRAMBLE);
    }

    private static Bytes switchTo(String plugin) {
        Bytes data = Hex.bytes("'" + NONCE.utf8() + "'", "00");
        return Bytes.of(new AuthSwitchRequest(plugin, data).encode().toByteArray());
    }
}

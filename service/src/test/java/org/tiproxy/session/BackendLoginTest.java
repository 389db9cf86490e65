package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tiproxy.common.Secret;
import org.tiproxy.session.BackendLogin.State;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.PayloadWriter;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.auth.ClientEd25519;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.client.HandshakeResponse41;
import org.tiproxy.wire.client.SslRequest;
import org.tiproxy.wire.protocol.Capability;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;
import org.tiproxy.wire.server.ErrPacket;

/** Logins at a backend that a test plays. */
class BackendLoginTest {
    private static final String PASSWORD = "s3cret";
    private static final Bytes SECRET = Bytes.ofUtf8(PASSWORD);
    private static final Bytes NONCE = Bytes.ofUtf8("tsrqponmlkjihgfedcba");
    private static final Bytes LONG_NONCE = Bytes.ofUtf8("0123456789abcdef0123456789ABCDEF");
    private static final ConnectionAttributes ATTRIBUTES = ConnectionAttributes.of(Map.of("program_name", "tiproxy"));
    private static final BackendCredentials CREDENTIALS = BackendCredentials.ofPassword("root", new Secret(PASSWORD));

    private final SentPackets sent = new SentPackets();

    private BackendLogin login(BackendCredentials credentials, TlsMode tls) {
        PoolKey key = PoolKey.ofUser("root", Packets.CLIENT_CAPABILITIES, 45);
        return new BackendLogin(new BackendRequest(key, "test", credentials, false), tls, ATTRIBUTES, sent);
    }

    private static void receive(BackendLogin login, byte[] bytes) {
        for (byte b : bytes) {
            login.bytes(ByteBuffer.wrap(new byte[] {b}));
        }
    }

    private static void receive(BackendLogin login, PayloadWriter payload, int sequenceId) {
        receive(login, Packets.bytes(payload, sequenceId));
    }

    private static PayloadWriter switchTo(String plugin, Bytes scramble) {
        return new AuthSwitchRequest(plugin, scramble).encode();
    }

    private static PayloadWriter more(int state) {
        return new AuthMoreData(Bytes.of((byte) state)).encode();
    }

    @Test
    void nativePasswordIsAnsweredAtOnce() {
        BackendLogin login = login(CREDENTIALS, TlsMode.DISABLED);
        assertThat(login.state()).isEqualTo(State.GREETING);
        receive(login, Packets.greeting());
        assertThat(login.state()).isEqualTo(State.AUTHENTICATION);
        HandshakeResponse41 response = HandshakeResponse41.decode(sent.takeOnly(1));
        assertThat(response.user().utf8()).isEqualTo("root");
        assertThat(response.schema().utf8()).isEqualTo("test");
        assertThat(response.collationId()).isEqualTo(45);
        assertThat(response.authPluginName()).isEqualTo("mysql_native_password");
        assertThat(response.attributes()).isEqualTo(ATTRIBUTES);
        assertThat(MysqlNativePassword.verify(
                        response.authResponse(), Packets.SCRAMBLE, MysqlNativePassword.storedHash(SECRET)))
                .isTrue();
        assertThat(Capability.CLIENT_SSL.isIn(response.capabilities())).isFalse();

        receive(login, Packets.ok(2));
        assertThat(login.state()).isEqualTo(State.DONE);
        BackendConnectionInfo info = login.result();
        assertThat(info.user()).isEqualTo("root");
        assertThat(info.schema()).isEqualTo("test");
        assertThat(info.threadId()).isEqualTo(Packets.THREAD_ID);
        assertThat(info.family()).isEqualTo(ServerFamily.MYSQL);
        assertThat(info.capabilities()).isEqualTo(response.capabilities());
        assertThat(info.tls()).isFalse();
        assertThat(info.ok().statusFlags()).isEqualTo(2);
    }

    @Test
    void overTlsTheHandshakeResponseComesTwice() {
        BackendLogin login = login(CREDENTIALS, TlsMode.REQUIRED);
        receive(login, Packets.greeting("caching_sha2_password"));
        assertThat(login.state()).isEqualTo(State.TLS_WANTED);
        assertThat(SslRequest.matches(sent.takeOnly(1))).isTrue();
        login.tlsStarted();
        HandshakeResponse41 response = HandshakeResponse41.decode(sent.takeOnly(2));
        assertThat(CachingSha2Password.verify(
                        response.authResponse(), Packets.SCRAMBLE, CachingSha2Password.cachedHash(SECRET)))
                .isTrue();
        receive(login, more(CachingSha2Password.FULL_AUTHENTICATION), 3);
        assertThat(sent.takeOnly(4)).isEqualTo(Hex.bytes("'s3cret' 00".split(" ")));
        receive(login, Packets.ok(5));
        assertThat(login.state()).isEqualTo(State.DONE);
        assertThat(login.result().tls()).isTrue();
    }

    @Test
    void withoutTlsThePasswordIsEncryptedWithTheBackendsKey() {
        BackendLogin login = login(CREDENTIALS, TlsMode.PREFERRED);
        long plain = Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_SSL.mask();
        receive(login, Packets.greetingOf(plain, "mysql_native_password").encode(), 0);
        sent.takeOnly(1);
        receive(login, switchTo("caching_sha2_password", NONCE), 2);
        assertThat(CachingSha2Password.verify(sent.takeOnly(3), NONCE, CachingSha2Password.cachedHash(SECRET)))
                .isTrue();
        receive(login, more(CachingSha2Password.FULL_AUTHENTICATION), 4);
        assertThat(sent.takeOnly(5)).isEqualTo(Hex.bytes("02"));
        Bytes pem = CachingSha2Password.pem(Packets.BACKEND_KEYS.getPublic());
        receive(login, new AuthMoreData(pem).encode(), 6);
        assertThat(CachingSha2Password.decrypt(sent.takeOnly(7), NONCE, Packets.BACKEND_KEYS.getPrivate()))
                .isEqualTo(SECRET);
        receive(login, Packets.ok(8));
        assertThat(login.state()).isEqualTo(State.DONE);
    }

    @Test
    void aKeyThatMustNotBeAskedForIsNot() {
        BackendCredentials careful = CREDENTIALS.asDriver(false);
        assertThat(careful).as("connections are shared").isEqualTo(CREDENTIALS);
        BackendLogin login = login(careful, TlsMode.DISABLED);
        receive(login, Packets.greeting("caching_sha2_password"));
        sent.takeOnly(1);
        receive(login, more(CachingSha2Password.FULL_AUTHENTICATION), 2);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(login.unsupportedPlugin()).isEqualTo("caching_sha2_password");
        assertThat(login.failure().message()).contains("user 'root'", "no TLS", "allowPublicKeyRetrieval");
        assertThat(sent.take()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"caching_sha2_password", "sha256_password", "mysql_clear_password", "client_ed25519"})
    void aServerWhoseCertificateIsNotProvenYetIsAnsweredInTheWayThatCanProveItOnly(String plugin) {
        BackendLogin login = login(CREDENTIALS, TlsMode.REQUIRED);
        receive(login, Packets.greeting("caching_sha2_password"));
        sent.takeOnly(1);
        login.tlsStarted(false);
        assertThat(HandshakeResponse41.decode(sent.takeOnly(2)).authPluginName())
                .isEqualTo("mysql_native_password");
        receive(login, switchTo(plugin, NONCE), 3);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(login.unsupportedPlugin()).isEqualTo(plugin);
        assertThat(sent.take()).isEmpty();
    }

    @Test
    void driversDoNotHaveSha256Password() {
        BackendLogin login = login(CREDENTIALS.asDriver(true), TlsMode.DISABLED);
        receive(login, Packets.greeting());
        sent.takeOnly(1);
        receive(login, switchTo("sha256_password", NONCE), 2);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(login.unsupportedPlugin()).isEqualTo("sha256_password");
        assertThat(sent.take()).isEmpty();
    }

    @Test
    void sha256PasswordIsSentOverTlsAsItIs() {
        BackendLogin login = login(CREDENTIALS, TlsMode.REQUIRED);
        receive(login, Packets.greeting());
        sent.takeOnly(1);
        login.tlsStarted();
        sent.takeOnly(2);
        receive(login, switchTo("sha256_password", NONCE), 3);
        assertThat(sent.takeOnly(4)).isEqualTo(Hex.bytes("'s3cret' 00".split(" ")));
        receive(login, Packets.ok(5));
        assertThat(login.state()).isEqualTo(State.DONE);
    }

    @ParameterizedTest
    @CsvSource({"s3cret, 01", "'', 00"})
    void sha256PasswordIsSentWithTheBackendsKeyUnlessItIsEmpty(String password, String first) {
        BackendLogin login = login(BackendCredentials.ofPassword("root", new Secret(password)), TlsMode.DISABLED);
        receive(login, Packets.greeting());
        sent.takeOnly(1);
        receive(login, switchTo("sha256_password", NONCE), 2);
        assertThat(sent.takeOnly(3)).isEqualTo(Hex.bytes(first));
        int answered = 4;
        if (!password.isEmpty()) {
            Bytes pem = CachingSha2Password.pem(Packets.BACKEND_KEYS.getPublic());
            receive(login, new AuthMoreData(pem).encode(), 4);
            assertThat(CachingSha2Password.decrypt(sent.takeOnly(5), NONCE, Packets.BACKEND_KEYS.getPrivate()))
                    .isEqualTo(SECRET);
            answered = 6;
        }
        receive(login, Packets.ok(answered));
        assertThat(login.state()).isEqualTo(State.DONE);
    }

    @Test
    void severalSwitchesAreFollowed() {
        BackendLogin login = login(CREDENTIALS, TlsMode.DISABLED);
        receive(login, Packets.greeting("caching_sha2_password"));
        sent.takeOnly(1);
        receive(login, switchTo("client_ed25519", LONG_NONCE), 2);
        assertThat(ClientEd25519.verify(sent.takeOnly(3), LONG_NONCE, ClientEd25519.publicKey(SECRET)))
                .isTrue();
        receive(login, switchTo("mysql_native_password", NONCE), 4);
        assertThat(MysqlNativePassword.verify(sent.takeOnly(5), NONCE, MysqlNativePassword.storedHash(SECRET)))
                .isTrue();
        receive(login, more(CachingSha2Password.FAST_AUTH_SUCCESS), 6);
        assertThat(login.state()).isEqualTo(State.FAILED);
    }

    @Test
    void fastAuthenticationWaitsForTheOk() {
        BackendLogin login = login(CREDENTIALS, TlsMode.DISABLED);
        receive(login, Packets.greeting("caching_sha2_password"));
        sent.takeOnly(1);
        receive(login, more(CachingSha2Password.FAST_AUTH_SUCCESS), 2);
        assertThat(login.state()).isEqualTo(State.AUTHENTICATION);
        assertThat(sent.take()).isEmpty();
        receive(login, Packets.ok(3));
        assertThat(login.state()).isEqualTo(State.DONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mysql_clear_password", "auth_gssapi_client", "dialog", "tidb_session_token"})
    void aPluginThatWouldGiveThePasswordAwayFails(String plugin) {
        BackendLogin login = login(CREDENTIALS, TlsMode.DISABLED);
        receive(login, Packets.greeting());
        sent.take();
        receive(login, switchTo(plugin, NONCE), 2);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(sent.take()).isEmpty();
        assertThat(login.failure().code()).isEqualTo(1251);
        assertThat(login.failure().message()).contains(plugin, "root").doesNotContain(PASSWORD);
    }

    @Test
    void theHashIsGoodForNativePasswordAlone() {
        byte[] sha1 = MysqlNativePassword.recoverSha1(
                        new MysqlNativePassword().reply(SECRET, NONCE), NONCE, MysqlNativePassword.storedHash(SECRET))
                .toByteArray();
        BackendCredentials hashed = BackendCredentials.ofNativeSha1("root", Bytes.of(sha1));
        BackendLogin login = login(hashed, TlsMode.DISABLED);
        receive(login, Packets.greeting("caching_sha2_password"));
        HandshakeResponse41 response = HandshakeResponse41.decode(sent.takeOnly(1));
        assertThat(response.authPluginName()).isEqualTo("mysql_native_password");
        receive(login, switchTo("mysql_native_password", NONCE), 2);
        assertThat(MysqlNativePassword.verify(sent.takeOnly(3), NONCE, MysqlNativePassword.storedHash(SECRET)))
                .isTrue();
        receive(login, switchTo("caching_sha2_password", NONCE), 4);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(login.failure().message()).contains("only a hash");
    }

    @Test
    void theBackendsErrorsAreKept() {
        BackendLogin greeted = login(CREDENTIALS, TlsMode.DISABLED);
        receive(greeted, Hex.packet(0, "ff 1004", "'Too many connections'"));
        assertThat(greeted.failure()).isEqualTo(new ErrPacket(1040, null, "Too many connections"));

        BackendLogin refused = login(CREDENTIALS, TlsMode.DISABLED);
        receive(refused, Packets.greeting());
        receive(refused, Hex.packet(2, "ff 1504", "'#28000Access denied'"));
        assertThat(refused.state()).isEqualTo(State.FAILED);
        assertThat(refused.failure()).isEqualTo(new ErrPacket(1045, "28000", "Access denied"));
    }

    @Test
    void missingTlsAndGarbageFail() {
        BackendLogin login = login(CREDENTIALS, TlsMode.REQUIRED);
        long plain = Packets.MYSQL_CAPABILITIES & ~Capability.CLIENT_SSL.mask();
        receive(login, Packets.greetingOf(plain, "mysql_native_password").encode(), 0);
        assertThat(login.state()).isEqualTo(State.FAILED);
        assertThat(login.failure().message()).contains("TLS");

        BackendLogin garbage = login(CREDENTIALS, TlsMode.DISABLED);
        receive(garbage, Hex.packet(0, "'HTTP/1.1 400 Bad Request'"));
        assertThat(garbage.state()).isEqualTo(State.FAILED);
        assertThat(sent.take()).isEmpty();
    }

    @Test
    void withoutCredentialsItStopsBehindTheGreeting() {
        BackendRequest request = new BackendRequest(PoolKey.ofPassThrough(0), "", null, true);
        BackendLogin login = new BackendLogin(request, TlsMode.DISABLED, ATTRIBUTES, sent);
        receive(login, Packets.greeting());
        assertThat(login.state()).isEqualTo(State.DONE);
        assertThat(login.result().isLoggedIn()).isFalse();
        assertThat(login.result().greeting().connectionId()).isEqualTo(Packets.THREAD_ID);
        assertThat(sent.take()).isEmpty();
    }

    @Test
    void aGreetingThatWasReadBeforeIsUsed() {
        BackendLogin login = login(CREDENTIALS, TlsMode.DISABLED);
        login.greeted(Packets.greetingOf(Packets.MYSQL_CAPABILITIES, "mysql_native_password"));
        assertThat(HandshakeResponse41.decode(sent.takeOnly(1)).user().utf8()).isEqualTo("root");
        receive(login, Packets.ok(2));
        assertThat(login.state()).isEqualTo(State.DONE);
    }

    @Test
    void nothingShowsThePassword() {
        BackendRequest request = new BackendRequest(PoolKey.ofUser("root", 0, 45), "test", CREDENTIALS, false);
        assertThat(request.toString() + CREDENTIALS + KnownUser.withPassword("root", new Secret(PASSWORD)))
                .contains("root")
                .doesNotContain(PASSWORD);
    }
}

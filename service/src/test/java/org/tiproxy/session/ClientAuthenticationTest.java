package org.tiproxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.common.Secret;
import org.tiproxy.session.ClientAuthentication.Progress;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.auth.AuthPlugin;
import org.tiproxy.wire.auth.CachingSha2Hash;
import org.tiproxy.wire.auth.CachingSha2Password;
import org.tiproxy.wire.auth.ClientEd25519;
import org.tiproxy.wire.auth.MysqlNativePassword;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.server.AuthMoreData;
import org.tiproxy.wire.server.AuthSwitchRequest;

/** The proxy's side of each plugin, with a client that computes what real ones do. */
class ClientAuthenticationTest {
    private static final Bytes PASSWORD = Bytes.ofUtf8("s3cret");
    /** Made with another implementation of SHA-256-crypt. */
    private static final String STORED =
            "$A$005$" + "aaaaaaaaaaaaaaaaaaaa" + "P./IEBU55BpwAJlIUYi22XXp4FPbMrKvgOWxXqM.w89";

    private final SentPackets sent = new SentPackets();

    private ClientAuthentication of(KnownUser user, boolean tls) {
        return new ClientAuthentication(
                new PacketLeg(1024, true, sent),
                user,
                tls,
                true,
                () -> Packets.PROXY_KEYS,
                new Scrambles(new Random(1)));
    }

    @Test
    void aClientThatWouldTakeAuthMoreDataForSomethingElseIsAskedForNativePassword() {
        ClientAuthentication authentication = new ClientAuthentication(
                new PacketLeg(1024, true, sent),
                KnownUser.withPassword("u", new Secret("s3cret")),
                false,
                false,
                () -> Packets.PROXY_KEYS,
                new Scrambles(new Random(1)));
        AuthPluginName begunWith = AuthPluginName.CACHING_SHA2_PASSWORD;
        assertThat(authentication.start(
                        begunWith.text(), reply(begunWith, PASSWORD, Packets.SCRAMBLE), Packets.SCRAMBLE))
                .isEqualTo(Progress.GOES_ON);
        AuthSwitchRequest request = takeSwitch();
        assertThat(request.pluginName()).isEqualTo("mysql_native_password");
        Bytes scramble = request.scramble();
        assertThat(authentication.onPacket(reply(AuthPluginName.MYSQL_NATIVE_PASSWORD, PASSWORD, scramble)
                        .toByteArray()))
                .isEqualTo(Progress.VERIFIED);
    }

    @ParameterizedTest
    @CsvSource({"'', VERIFIED", "s3cret, REFUSED"})
    void aNulIsAnEmptyPasswordForCachingSha2(String password, Progress expected) {
        ClientAuthentication authentication = of(KnownUser.withPassword("u", new Secret(password)), false);
        assertThat(authentication.start("caching_sha2_password", Bytes.of((byte) 0), Packets.SCRAMBLE))
                .isEqualTo(expected);
        assertThat(authentication.usingPassword()).isEqualTo("NO");
        assertThat(sent.take()).isEmpty();
    }

    private static Bytes reply(AuthPluginName plugin, Bytes password, Bytes scramble) {
        return AuthPlugin.of(plugin).reply(password, scramble);
    }

    private AuthSwitchRequest takeSwitch() {
        List<SentPackets.Packet> packets = sent.take();
        assertThat(packets).hasSize(1);
        return AuthSwitchRequest.decode(packets.get(0).payload());
    }

    private Bytes takeMore() {
        List<SentPackets.Packet> packets = sent.take();
        assertThat(packets).hasSize(1);
        return AuthMoreData.decode(packets.get(0).payload()).data();
    }

    @ParameterizedTest
    @CsvSource({
        "MYSQL_NATIVE_PASSWORD, s3cret, false, VERIFIED",
        "MYSQL_NATIVE_PASSWORD, wrong, false, REFUSED",
        "MYSQL_NATIVE_PASSWORD, '', false, REFUSED",
        "CACHING_SHA2_PASSWORD, s3cret, false, VERIFIED",
        "CACHING_SHA2_PASSWORD, wrong, true, REFUSED",
        "CACHING_SHA2_PASSWORD, '', true, REFUSED",
        "MYSQL_CLEAR_PASSWORD, s3cret, true, VERIFIED",
        "MYSQL_CLEAR_PASSWORD, wrong, true, REFUSED"
    })
    void aKnownPasswordIsCheckedWithTheClientsOwnPlugin(
            AuthPluginName plugin, String password, boolean tls, Progress expected) {
        ClientAuthentication authentication = of(KnownUser.withPassword("u", new Secret("s3cret")), tls);
        Bytes scramble = Packets.SCRAMBLE;
        Progress progress =
                authentication.start(plugin.text(), reply(plugin, Bytes.ofUtf8(password), scramble), scramble);
        assertThat(progress).isEqualTo(expected);
        assertThat(authentication.usingPassword()).isEqualTo(password.isEmpty() ? "NO" : "YES");
        boolean fast = plugin == AuthPluginName.CACHING_SHA2_PASSWORD && expected == Progress.VERIFIED;
        assertThat(sent.take()).hasSize(fast ? 1 : 0);
        if (expected == Progress.VERIFIED) {
            assertThat(authentication.credentials())
                    .isEqualTo(BackendCredentials.ofPassword("u", new Secret("s3cret")));
        } else {
            assertThat(authentication.credentials()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"MYSQL_NATIVE_PASSWORD", "CACHING_SHA2_PASSWORD", "CLIENT_ED25519"})
    void theUsersPluginIsAskedForWithAFreshScramble(AuthPluginName plugin) {
        KnownUser user = KnownUser.withPassword("u", plugin, new Secret("s3cret"));
        ClientAuthentication authentication = of(user, false);
        assertThat(authentication.start("mysql_old_password", Bytes.ofUtf8("whatever"), Packets.SCRAMBLE))
                .isEqualTo(Progress.GOES_ON);
        AuthSwitchRequest request = takeSwitch();
        assertThat(request.pluginName()).isEqualTo(plugin.text());
        assertThat(request.scramble().length()).isEqualTo(plugin == AuthPluginName.CLIENT_ED25519 ? 32 : 20);
        assertThat(request.scramble()).isNotEqualTo(Packets.SCRAMBLE);
        Bytes wrong = reply(plugin, PASSWORD, Packets.SCRAMBLE);
        assertThat(of(user, false).start(plugin.text(), wrong, request.scramble()))
                .isEqualTo(Progress.REFUSED);
        assertThat(authentication.onPacket(
                        reply(plugin, PASSWORD, request.scramble()).toByteArray()))
                .isEqualTo(Progress.VERIFIED);
    }

    @Test
    void anEmptyPasswordIsAnEmptyReply() {
        for (AuthPluginName plugin :
                List.of(AuthPluginName.MYSQL_NATIVE_PASSWORD, AuthPluginName.CACHING_SHA2_PASSWORD)) {
            ClientAuthentication authentication = of(KnownUser.withPassword("u", new Secret("")), false);
            assertThat(authentication.start(plugin.text(), Bytes.EMPTY, Packets.SCRAMBLE))
                    .isEqualTo(Progress.VERIFIED);
            assertThat(sent.take()).isEmpty();
        }
    }

    @Test
    void theNativeHashAndAReplyGiveWhatANativeBackendNeeds() {
        KnownUser user = KnownUser.withNativeHash("u", MysqlNativePassword.storedHash(PASSWORD));
        ClientAuthentication authentication = of(user, false);
        authentication.start("caching_sha2_password", Bytes.EMPTY, Packets.SCRAMBLE);
        AuthSwitchRequest request = takeSwitch();
        assertThat(authentication.onPacket(reply(AuthPluginName.MYSQL_NATIVE_PASSWORD, PASSWORD, request.scramble())
                        .toByteArray()))
                .isEqualTo(Progress.VERIFIED);
        BackendCredentials credentials = authentication.credentials();
        assertThat(credentials.reply(AuthPluginName.MYSQL_NATIVE_PASSWORD, Packets.SCRAMBLE))
                .isEqualTo(reply(AuthPluginName.MYSQL_NATIVE_PASSWORD, PASSWORD, Packets.SCRAMBLE));
        assertThat(credentials.reply(AuthPluginName.CACHING_SHA2_PASSWORD, Packets.SCRAMBLE))
                .isNull();
    }

    @Test
    void theEd25519KeyChecksAndGivesNothingForBackends() {
        KnownUser user = KnownUser.withEd25519Key("u", ClientEd25519.publicKey(PASSWORD));
        ClientAuthentication authentication = of(user, false);
        authentication.start("mysql_native_password", Bytes.EMPTY, Packets.SCRAMBLE);
        Bytes scramble = takeSwitch().scramble();
        assertThat(authentication.onPacket(
                        reply(AuthPluginName.CLIENT_ED25519, PASSWORD, scramble).toByteArray()))
                .isEqualTo(Progress.VERIFIED);
        assertThat(authentication.credentials()).isNull();
    }

    @Test
    void theCachingSha2HashNeedsThePasswordOnceThenNoMore() {
        KnownUser user = KnownUser.withCachingSha2Hash("u", CachingSha2Hash.parse(STORED));
        Bytes right = reply(AuthPluginName.CACHING_SHA2_PASSWORD, PASSWORD, Packets.SCRAMBLE);

        ClientAuthentication overTls = of(user, true);
        assertThat(overTls.start("caching_sha2_password", right, Packets.SCRAMBLE))
                .isEqualTo(Progress.GOES_ON);
        assertThat(takeMore()).isEqualTo(Hex.bytes("04"));
        assertThat(overTls.onPacket("wrong\0".getBytes(StandardCharsets.UTF_8))).isEqualTo(Progress.REFUSED);

        ClientAuthentication withKey = of(user, false);
        withKey.start("caching_sha2_password", right, Packets.SCRAMBLE);
        assertThat(takeMore()).isEqualTo(Hex.bytes("04"));
        assertThat(withKey.onPacket(new byte[] {2})).isEqualTo(Progress.GOES_ON);
        Bytes encrypted =
                CachingSha2Password.encrypt(PASSWORD, Packets.SCRAMBLE, CachingSha2Password.publicKey(takeMore()));
        assertThat(withKey.onPacket(encrypted.toByteArray())).isEqualTo(Progress.VERIFIED);
        assertThat(withKey.credentials()).isEqualTo(BackendCredentials.ofPassword("u", new Secret("s3cret")));

        ClientAuthentication again = of(user, false);
        assertThat(again.start("caching_sha2_password", right, Packets.SCRAMBLE))
                .isEqualTo(Progress.VERIFIED);
        assertThat(takeMore()).isEqualTo(Hex.bytes("03"));
        ClientAuthentication guess = of(user, true);
        guess.start(
                "caching_sha2_password",
                reply(AuthPluginName.CACHING_SHA2_PASSWORD, Bytes.ofUtf8("x"), Packets.SCRAMBLE),
                Packets.SCRAMBLE);
        assertThat(takeMore()).isEqualTo(Hex.bytes("04"));
    }

    @Test
    void aClearPasswordNeedsTls() {
        KnownUser user = KnownUser.withPassword("u", AuthPluginName.MYSQL_CLEAR_PASSWORD, new Secret("s3cret"));
        assertThatThrownBy(() -> of(user, false).start("mysql_native_password", Bytes.EMPTY, Packets.SCRAMBLE))
                .isInstanceOf(SessionFailure.class)
                .hasMessageContaining("TLS");
        ClientAuthentication authentication = of(user, true);
        authentication.start("mysql_native_password", Bytes.EMPTY, Packets.SCRAMBLE);
        assertThat(takeSwitch().pluginName()).isEqualTo("mysql_clear_password");
        assertThat(authentication.onPacket("s3cret\0".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(Progress.VERIFIED);
    }

    @ParameterizedTest
    @CsvSource({"password", "native", "sha2", "ed25519"})
    void anUnknownUserLooksLikeAKnownOneAndNeverGetsIn(String kind) {
        KnownUser known = switch (kind) {
            case "password" -> KnownUser.withPassword("known", new Secret("s3cret"));
            case "native" -> KnownUser.withNativeHash("known", MysqlNativePassword.storedHash(PASSWORD));
            case "sha2" -> KnownUser.withCachingSha2Hash("known", CachingSha2Hash.parse(STORED));
            default -> KnownUser.withEd25519Key("known", ClientEd25519.publicKey(PASSWORD));
        };
        UserStore users = new KnownUsers(List.of(known));
        assertThat(users.find("known")).isSameAs(known);
        Bytes wrong = reply(AuthPluginName.CACHING_SHA2_PASSWORD, Bytes.ofUtf8("x"), Packets.SCRAMBLE);
        List<Object> shapes = List.of("known", "unknown").stream()
                .map(name -> {
                    ClientAuthentication authentication = of(users.find(name), true);
                    Progress first = authentication.start("caching_sha2_password", wrong, Packets.SCRAMBLE);
                    List<Integer> packets = sent.take().stream()
                            .map(packet ->
                                    packet.header() << 8 | packet.payload().length())
                            .toList();
                    Progress second =
                            first == Progress.GOES_ON ? authentication.onPacket(new byte[] {1, 2, 3, 0}) : first;
                    return (Object) List.of(first, packets, second);
                })
                .toList();
        assertThat(shapes.get(1)).isEqualTo(shapes.get(0));
        for (String password : List.of("s3cret", "decoy", "")) {
            KnownUser decoy = users.find("unknown");
            for (AuthPluginName plugin : AuthPluginName.values()) {
                Bytes reply = reply(plugin, Bytes.ofUtf8(password), Packets.SCRAMBLE);
                assertThat(decoy.verify(plugin, reply, Packets.SCRAMBLE)).isNull();
            }
            assertThat(decoy.verifyPassword(Bytes.ofUtf8(password))).isNull();
        }
    }
}

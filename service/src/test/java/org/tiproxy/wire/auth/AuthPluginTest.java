package org.tiproxy.wire.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.Base64;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.Hex;
import org.tiproxy.wire.ProtocolException;
import org.tiproxy.wire.protocol.AuthPluginName;

class AuthPluginTest {
    private static final Bytes PASSWORD = Bytes.ofUtf8("secret");
    private static final Bytes SCRAMBLE = Hex.bytes("'0123456789abcdefghij'");

    @ParameterizedTest
    @EnumSource
    void everyKnownPluginHasItsArithmetic(AuthPluginName name) {
        assertThat(AuthPlugin.of(name).name()).isEqualTo(name);
        assertThat(AuthPluginName.of(name.text())).isEqualTo(name);
    }

    @Test
    void nativeStoredHashIsThatOfThePasswordFunction() {
        // SELECT PASSWORD('secret')
        assertThat(MysqlNativePassword.storedHash(PASSWORD))
                .isEqualTo(Hex.bytes("14e65567abdb5135d0cfd9a70b3032c179a49ee7"));
    }

    @Test
    void nativeReplyIsVerifiedAndGivesAwayTheSha1() {
        MysqlNativePassword plugin = new MysqlNativePassword();
        Bytes reply = plugin.reply(PASSWORD, SCRAMBLE);
        Bytes stored = MysqlNativePassword.storedHash(PASSWORD);
        assertThat(MysqlNativePassword.verify(reply, SCRAMBLE, stored)).isTrue();
        assertThat(MysqlNativePassword.verify(plugin.reply(Bytes.ofUtf8("Secret"), SCRAMBLE), SCRAMBLE, stored))
                .isFalse();
        assertThat(MysqlNativePassword.verify(Bytes.EMPTY, SCRAMBLE, stored)).isFalse();
        Bytes sha1 = MysqlNativePassword.recoverSha1(reply, SCRAMBLE, stored);
        assertThat(sha1).isEqualTo(Bytes.of(Digests.sha1(PASSWORD.toByteArray())));
        Bytes other = Hex.bytes("'jihgfedcba9876543210'");
        assertThat(MysqlNativePassword.replyFromSha1(Objects.requireNonNull(sha1), other))
                .isEqualTo(plugin.reply(PASSWORD, other));
        assertThat(plugin.reply(Bytes.EMPTY, SCRAMBLE)).isEqualTo(Bytes.EMPTY);
    }

    @Test
    void cachingSha2ReplyIsThatOfOtherDrivers() {
        // Vectors from the tests of a Go driver.
        Bytes scramble = Hex.bytes("0a2f4a6f4b492230584c724a250d035052021715");
        assertThat(new CachingSha2Password().reply(PASSWORD, scramble))
                .isEqualTo(Hex.bytes("f490e76f66d9d86665ce54d98c78d0acfe2fb0b08b423da807144873d30b312c"));
        assertThat(new CachingSha2Password().reply(Bytes.ofUtf8("secret2"), scramble))
                .isEqualTo(Hex.bytes("abc3934a012cf342e876071c8ee202de51785b430258a7a0138bc79c4d800bc6"));
    }

    @Test
    void cachingSha2ReplyIsVerified() {
        CachingSha2Password plugin = new CachingSha2Password();
        Bytes reply = plugin.reply(PASSWORD, SCRAMBLE);
        Bytes cached = CachingSha2Password.cachedHash(PASSWORD);
        assertThat(reply.length()).isEqualTo(32);
        assertThat(CachingSha2Password.verify(reply, SCRAMBLE, cached)).isTrue();
        assertThat(CachingSha2Password.verify(plugin.reply(Bytes.ofUtf8("x"), SCRAMBLE), SCRAMBLE, cached))
                .isFalse();
        assertThat(CachingSha2Password.verify(Bytes.EMPTY, SCRAMBLE, cached)).isFalse();
        assertThat(plugin.reply(Bytes.EMPTY, SCRAMBLE)).isEqualTo(Bytes.EMPTY);
    }

    @Test
    void cachingSha2PasswordTravelsEncrypted() throws GeneralSecurityException {
        KeyPair pair = keyPair();
        Bytes pem = CachingSha2Password.pem(pair.getPublic());
        assertThat(CachingSha2Password.publicKey(pem)).isEqualTo(pair.getPublic());
        Bytes encrypted = CachingSha2Password.encrypt(PASSWORD, SCRAMBLE, CachingSha2Password.publicKey(pem));
        assertThat(encrypted.length()).isEqualTo(128);
        assertThat(CachingSha2Password.decrypt(encrypted, SCRAMBLE, pair.getPrivate()))
                .isEqualTo(PASSWORD);
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> CachingSha2Password.decrypt(Bytes.EMPTY, SCRAMBLE, pair.getPrivate()));
        assertThatExceptionOfType(ProtocolException.class)
                .isThrownBy(() -> CachingSha2Password.encrypt(Bytes.of(new byte[300]), SCRAMBLE, pair.getPublic()))
                .withMessageContaining("300 bytes");
        assertThat(CachingSha2Password.cleartext(PASSWORD)).isEqualTo(Hex.bytes("'secret'", "00"));
    }

    @Test
    void whatIsNoKeyIsAProtocolError() {
        for (String text : new String[] {
            "",
            "-----END PUBLIC KEY----------BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"
        }) {
            assertThatExceptionOfType(ProtocolException.class)
                    .isThrownBy(() -> CachingSha2Password.publicKey(Bytes.ofUtf8(text)));
        }
    }

    @Test
    void clearPasswordEndsWithNul() {
        Bytes reply = new MysqlClearPassword().reply(PASSWORD, Bytes.EMPTY);
        assertThat(reply).isEqualTo(Hex.bytes("'secret'", "00"));
        assertThat(MysqlClearPassword.password(reply)).isEqualTo(PASSWORD);
        assertThat(new MysqlClearPassword().requiresTls()).isTrue();
    }

    @Test
    void sessionTokenIsTheReply() {
        assertThat(new TidbSessionToken().reply(Bytes.ofUtf8("token"), SCRAMBLE))
                .isEqualTo(Bytes.ofUtf8("token"));
        assertThat(new TidbSessionToken().requiresTls()).isTrue();
    }

    @Test
    void ed25519PublicKeyIsThatOfTheServersFunction() {
        // MariaDB: SELECT ed25519_password('secret'), as its manual shows
        assertThat(ClientEd25519.publicKey(PASSWORD))
                .isEqualTo(Bytes.of(Base64.getDecoder().decode("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=")));
    }

    @Test
    void ed25519WithAPasswordOf32BytesIsTheStandardSignature() throws GeneralSecurityException {
        Random random = new Random(3);
        for (int i = 0; i < 10; i++) {
            byte[] password = new byte[32];
            random.nextBytes(password);
            byte[] scramble = new byte[32];
            random.nextBytes(scramble);
            Signature signer = Signature.getInstance("Ed25519");
            signer.initSign(KeyFactory.getInstance("Ed25519")
                    .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, password)));
            signer.update(scramble);
            assertThat(new ClientEd25519().reply(Bytes.of(password), Bytes.of(scramble)))
                    .isEqualTo(Bytes.of(signer.sign()));
        }
    }

    @Test
    void ed25519ReplyOfAnyPasswordIsVerified() {
        Random random = new Random(4);
        for (int length : new int[] {0, 1, 6, 31, 33, 100}) {
            byte[] password = new byte[length];
            random.nextBytes(password);
            byte[] scramble = new byte[32];
            random.nextBytes(scramble);
            Bytes reply = new ClientEd25519().reply(Bytes.of(password), Bytes.of(scramble));
            Bytes key = ClientEd25519.publicKey(Bytes.of(password));
            assertThat(ClientEd25519.verify(reply, Bytes.of(scramble), key)).isTrue();
            assertThat(ClientEd25519.verify(reply, Bytes.of(password), key)).isFalse();
            assertThat(ClientEd25519.verify(reply, Bytes.of(scramble), ClientEd25519.publicKey(Bytes.ofUtf8("no"))))
                    .isFalse();
        }
    }

    @Test
    void ed25519RefusesWhatIsNoSignatureOrKey() {
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            byte[] reply = new byte[i % 3 == 0 ? 64 : random.nextInt(80)];
            random.nextBytes(reply);
            byte[] key = new byte[i % 5 == 0 ? random.nextInt(40) : 32];
            random.nextBytes(key);
            assertThat(ClientEd25519.verify(Bytes.of(reply), SCRAMBLE, Bytes.of(key)))
                    .isFalse();
        }
    }

    private static KeyPair keyPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        // Short, because making long keys takes seconds.
        generator.initialize(1024);
        return generator.generateKeyPair();
    }
}

package org.tiproxy.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PemFileTest {
    /** prime256v1. */
    private static final String P256 = "1.2.840.10045.3.1.7";

    @TempDir
    Path folder;

    private PemFile file(String... blocks) throws IOException, PemException {
        return PemFile.read(Files.writeString(folder.resolve("x.pem"), String.join("some text\n", blocks)));
    }

    private static KeyPair rsa() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    @Test
    void readsKeysAsPkcs8() throws Exception {
        KeyPair rsa = rsa();
        KeyPair ec = CertificateBuilder.newKeyPair();
        KeyPair ed = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();

        for (KeyPair pair : new KeyPair[] {rsa, ec, ed}) {
            byte[] encoded = pair.getPrivate().getEncoded();
            assertThat(file(TestAuthority.pem("PRIVATE KEY", encoded)).privateKey())
                    .isEqualTo(pair.getPrivate());
        }
    }

    @Test
    void readsRsaKeysAsPkcs1() throws Exception {
        RSAPrivateCrtKey key = (RSAPrivateCrtKey) rsa().getPrivate();
        byte[] pkcs1 = Der.sequence(
                Der.integer(0),
                Der.integer(key.getModulus()),
                Der.integer(key.getPublicExponent()),
                Der.integer(key.getPrivateExponent()),
                Der.integer(key.getPrimeP()),
                Der.integer(key.getPrimeQ()),
                Der.integer(key.getPrimeExponentP()),
                Der.integer(key.getPrimeExponentQ()),
                Der.integer(key.getCrtCoefficient()));

        assertThat(file(TestAuthority.pem("RSA PRIVATE KEY", pkcs1)).privateKey())
                .isEqualTo(key);
    }

    @Test
    void readsEcKeysAsSec1WithTheCurveInsideOrInABlockOfItsOwn() throws Exception {
        ECPrivateKey key = (ECPrivateKey) CertificateBuilder.newKeyPair().getPrivate();
        byte[] secret = new byte[32];
        byte[] digits = key.getS().toByteArray();
        int from = Math.max(0, digits.length - secret.length);
        System.arraycopy(digits, from, secret, secret.length - digits.length + from, digits.length - from);
        byte[] number = Der.integer(BigInteger.ONE);
        byte[] curve = Der.oid(P256);
        String inside = TestAuthority.pem(
                "EC PRIVATE KEY", Der.sequence(number, Der.octetString(secret), Der.explicit(0, curve)));
        String apart = TestAuthority.pem("EC PRIVATE KEY", Der.sequence(number, Der.octetString(secret)));

        assertThat(((ECPrivateKey) file(inside).privateKey()).getS()).isEqualTo(key.getS());
        assertThat(((ECPrivateKey) file(TestAuthority.pem("EC PARAMETERS", curve), apart)
                                .privateKey())
                        .getS())
                .isEqualTo(key.getS());
        assertThatThrownBy(() -> file(apart).privateKey()).hasMessage("the private key does not name its curve");
    }

    @Test
    void findsCertificatesAndKeyInOneFile() throws Exception {
        TestAuthority authority = new TestAuthority(folder, "ca");
        TestAuthority.Issued issued = authority.issue("server", "server");
        PemFile file = file(
                Files.readString(issued.key()),
                Files.readString(issued.certificate()),
                Files.readString(authority.file()));

        assertThat(file.privateKey().getAlgorithm()).isEqualTo("EC");
        assertThat(file.certificates())
                .extracting(certificate -> certificate.getSubjectX500Principal().getName())
                .containsExactly("CN=server", "CN=ca");
    }

    @Test
    void saysWhatIsWrongButNeverWhatTheFileHolds() throws Exception {
        String damaged = TestAuthority.pem("PRIVATE KEY", new byte[40]);

        assertThatThrownBy(() -> PemFile.read(folder.resolve("none"))).hasMessage("no such file");
        assertThatThrownBy(() -> PemFile.read(folder)).hasMessage("is a folder");
        assertThatThrownBy(() -> file("secret").certificates())
                .hasMessage("holds no certificate (no line -----BEGIN CERTIFICATE-----); it is no PEM file");
        assertThatThrownBy(() -> file(damaged).certificates())
                .hasMessage("holds no certificate (no line -----BEGIN CERTIFICATE-----); found PRIVATE KEY");
        assertThatThrownBy(() -> file(damaged).privateKey())
                .hasMessage("the private key is damaged, or of a kind that Java does not know");
        assertThatThrownBy(() ->
                        file(TestAuthority.pem("CERTIFICATE", new byte[40])).certificates())
                .hasMessage("certificate 1 is damaged");
        assertThatThrownBy(() -> file("-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----")
                        .privateKey())
                .hasMessage("the block \"PRIVATE KEY\" is damaged (not base64)");
        assertThatThrownBy(() -> file(TestAuthority.pem("ENCRYPTED PRIVATE KEY", new byte[9]))
                        .privateKey())
                .hasMessageContaining("is encrypted, which is not supported");
        assertThatThrownBy(() -> file("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
                                + "-----END RSA PRIVATE KEY-----")
                        .privateKey())
                .hasMessageContaining("is encrypted, which is not supported");
    }
}

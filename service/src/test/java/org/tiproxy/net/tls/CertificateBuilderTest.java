package org.tiproxy.net.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificateBuilderTest {
    @Test
    void theCertificateOfAutoCertsIsForThisMachineAndSignedByItself() throws Exception {
        TlsMaterial material = TlsContexts.selfSigned(List.of());
        X509Certificate certificate = material.chain().get(0);

        certificate.verify(certificate.getPublicKey());
        certificate.checkValidity();
        assertThat(certificate.getVersion()).isEqualTo(3);
        assertThat(certificate.getSigAlgName()).isEqualTo("SHA256withECDSA");
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
        assertThat(certificate.getSubjectAlternativeNames())
                .containsExactlyInAnyOrder(
                        List.of(2, "localhost"), List.of(7, "127.0.0.1"), List.of(7, "0:0:0:0:0:0:0:1"));
        assertThat(material.describe()).matches("CN=tiproxy, valid until 20.*Z");
    }

    @Test
    void anAuthoritySignsOthers() throws Exception {
        KeyPair keys = CertificateBuilder.newKeyPair();
        X509Certificate authority = new CertificateBuilder("ca").authority().selfSigned(keys);
        Instant from = Instant.parse("2030-01-02T03:04:05Z");
        Instant to = Instant.parse("2051-01-02T03:04:05Z");
        X509Certificate signed = new CertificateBuilder("leaf")
                .validity(from, to)
                .signedBy(
                        authority,
                        keys.getPrivate(),
                        CertificateBuilder.newKeyPair().getPublic());

        signed.verify(authority.getPublicKey());
        assertThat(authority.getBasicConstraints()).isPositive();
        assertThat(signed.getIssuerX500Principal()).isEqualTo(authority.getSubjectX500Principal());
        assertThat(signed.getNotBefore().toInstant()).isEqualTo(from);
        assertThat(signed.getNotAfter().toInstant()).isEqualTo(to);
    }
}

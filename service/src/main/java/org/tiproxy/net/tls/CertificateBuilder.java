package org.tiproxy.net.tls;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes X.509 certificates, signed with ECDSA (P-256) or RSA: those of {@code auto-certs}, and those of tests.
 *
 * <p>The signing key decides the algorithm. Not thread-safe.
 */
final class CertificateBuilder {
    private static final String COMMON_NAME = "2.5.4.3";
    private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
    private static final String BASIC_CONSTRAINTS = "2.5.29.19";
    private static final String ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
    private static final String SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;
    private static final int X509_V3 = 2;

    private final String commonName;
    private final List<byte[]> alternativeNames = new ArrayList<>();
    private Instant notBefore = Instant.now().minus(Duration.ofDays(1));
    private Instant notAfter = Instant.now().plus(Duration.ofDays(3650));
    private boolean authority;

    CertificateBuilder(String commonName) {
        this.commonName = commonName;
    }

    /** A new key pair on the curve P-256, which every TLS library knows: quick to make and quick to sign with. */
    static KeyPair newKeyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has the curve P-256", e);
        }
    }

    CertificateBuilder dnsName(String name) {
        alternativeNames.add(Der.implicit(DNS_NAME, name.getBytes(StandardCharsets.US_ASCII)));
        return this;
    }

    /** An address in digits. */
    CertificateBuilder ipAddress(String address) {
        try {
            alternativeNames.add(
                    Der.implicit(IP_ADDRESS, InetAddress.getByName(address).getAddress()));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(address + " is no address in digits", e);
        }
        return this;
    }

    CertificateBuilder validity(Instant from, Instant to) {
        notBefore = from;
        notAfter = to;
        return this;
    }

    /** The certificate may sign others. */
    CertificateBuilder authority() {
        authority = true;
        return this;
    }

    X509Certificate selfSigned(KeyPair keys) throws GeneralSecurityException {
        return sign(keys.getPublic(), name(commonName), keys.getPrivate());
    }

    X509Certificate signedBy(X509Certificate issuer, PrivateKey issuerKey, PublicKey key)
            throws GeneralSecurityException {
        return sign(key, issuer.getSubjectX500Principal().getEncoded(), issuerKey);
    }

    private X509Certificate sign(PublicKey key, byte[] issuer, PrivateKey signer) throws GeneralSecurityException {
        boolean rsa = signer.getAlgorithm().equals("RSA");
        byte[] algorithm =
                rsa ? Der.sequence(Der.oid(SHA256_WITH_RSA), Der.NULL) : Der.sequence(Der.oid(ECDSA_WITH_SHA256));
        byte[] body = Der.sequence(
                Der.explicit(0, Der.integer(X509_V3)),
                Der.integer(new BigInteger(127, new SecureRandom())),
                algorithm,
                issuer,
                Der.sequence(Der.time(notBefore), Der.time(notAfter)),
                name(commonName),
                key.getEncoded(),
                Der.explicit(3, extensions()));
        Signature signature = Signature.getInstance(rsa ? "SHA256withRSA" : "SHA256withECDSA");
        signature.initSign(signer);
        signature.update(body);
        byte[] certificate = Der.sequence(body, algorithm, Der.bitString(signature.sign()));
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(certificate));
    }

    private byte[] extensions() {
        byte[] constraints = Der.sequence(
                Der.oid(BASIC_CONSTRAINTS),
                Der.TRUE,
                Der.octetString(authority ? Der.sequence(Der.TRUE) : Der.sequence()));
        if (alternativeNames.isEmpty()) {
            return Der.sequence(constraints);
        }
        byte[] names = Der.sequence(
                Der.oid(SUBJECT_ALTERNATIVE_NAME),
                Der.octetString(Der.sequence(alternativeNames.toArray(byte[][]::new))));
        return Der.sequence(constraints, names);
    }

    private static byte[] name(String commonName) {
        return Der.sequence(Der.set(Der.sequence(Der.oid(COMMON_NAME), Der.utf8String(commonName))));
    }
}

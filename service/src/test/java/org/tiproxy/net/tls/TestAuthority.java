package org.tiproxy.net.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;

/** A CA for tests, which writes its certificates and keys into a folder. */
public final class TestAuthority {
    private final Path folder;
    private final KeyPair keys = CertificateBuilder.newKeyPair();
    private final X509Certificate certificate;
    private final Path file;

    /** A new CA whose own certificate is {@code <name>.pem}. */
    public TestAuthority(Path folder, String name) throws IOException, GeneralSecurityException {
        this.folder = folder;
        this.certificate = new CertificateBuilder(name).authority().selfSigned(keys);
        this.file = write(name + ".pem", pem("CERTIFICATE", certificate.getEncoded()));
    }

    /**
     * A certificate and its key.
     *
     * @param certificate the file with the certificate
     * @param key the file with the private key as PKCS#8
     */
    public record Issued(Path certificate, Path key) {}

    /** The CA's certificate. */
    public Path file() {
        return file;
    }

    /** Signs a certificate for 127.0.0.1 and localhost, valid for a year: {@code <file>.pem} and {@code <file>-key.pem}. */
    public Issued issue(String file, String commonName) throws IOException, GeneralSecurityException {
        return issue(
                file, new CertificateBuilder(commonName).ipAddress("127.0.0.1").dnsName("localhost"));
    }

    /** Signs a certificate that names no host. */
    public Issued issueWithoutHost(String file, String commonName) throws IOException, GeneralSecurityException {
        return issue(file, new CertificateBuilder(commonName));
    }

    /** Signs a certificate that expired yesterday. */
    public Issued issueExpired(String file, String commonName) throws IOException, GeneralSecurityException {
        Instant now = Instant.now();
        return issue(
                file,
                new CertificateBuilder(commonName)
                        .validity(now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(1))));
    }

    private Issued issue(String file, CertificateBuilder builder) throws IOException, GeneralSecurityException {
        KeyPair pair = CertificateBuilder.newKeyPair();
        X509Certificate signed = builder.signedBy(certificate, keys.getPrivate(), pair.getPublic());
        return new Issued(
                write(file + ".pem", pem("CERTIFICATE", signed.getEncoded())),
                write(file + "-key.pem", pem("PRIVATE KEY", pair.getPrivate().getEncoded())));
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    static String pem(String label, byte[] content) {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(content);
        return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
    }
}

package org.tiproxy.net.tls;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the files hold.
 *
 * @param chain our certificate and those between it and its CA; empty for none
 * @param key the private key that belongs to the first of them; null if there is none
 * @param authorities the CAs that we trust; empty for none of our own
 */
record TlsMaterial(List<X509Certificate> chain, @Nullable PrivateKey key, List<X509Certificate> authorities) {

    /** Something that is wrong, or worth knowing, about a file. */
    record Finding(TlsFiles.Role role, boolean isError, String phrase) {}

    /** Receives findings. */
    @FunctionalInterface
    interface Findings {
        void add(Finding finding);
    }

    /** Reads and checks all files; null if there was an error. */
    static @Nullable TlsMaterial read(TlsFiles files, Instant now, Findings findings) {
        List<Finding> errors = new ArrayList<>();
        Findings all = finding -> {
            findings.add(finding);
            if (finding.isError()) {
                errors.add(finding);
            }
        };
        List<X509Certificate> chain = certificates(files, TlsFiles.Role.CERTIFICATE, now, all);
        List<X509Certificate> authorities = certificates(files, TlsFiles.Role.AUTHORITIES, now, all);
        @Nullable PrivateKey key = key(files, all);
        if (key != null && !chain.isEmpty() && !belong(chain.get(0).getPublicKey(), key)) {
            all.add(new Finding(
                    TlsFiles.Role.KEY,
                    true,
                    "is not the key of the certificate in " + files.certificate() + " (" + subject(chain.get(0))
                            + ")"));
        }
        return errors.isEmpty() ? new TlsMaterial(chain, key, authorities) : null;
    }

    /** Whom the certificate names and how long it is valid, for the log. */
    String describe() {
        return chain.isEmpty() ? authorities.size() + " CAs" : describe(chain.get(0));
    }

    static String describe(X509Certificate certificate) {
        return subject(certificate) + ", valid until "
                + certificate.getNotAfter().toInstant();
    }

    private static List<X509Certificate> certificates(
            TlsFiles files, TlsFiles.Role role, Instant now, Findings findings) {
        @Nullable Path file = files.file(role);
        if (file == null) {
            return List.of();
        }
        try {
            List<X509Certificate> certificates = PemFile.read(file).certificates();
            for (X509Certificate certificate : certificates) {
                checkTime(certificate, role, now, findings);
            }
            return certificates;
        } catch (PemException e) {
            findings.add(new Finding(role, true, e.phrase()));
            return List.of();
        }
    }

    private static void checkTime(X509Certificate certificate, TlsFiles.Role role, Instant now, Findings findings) {
        Instant from = certificate.getNotBefore().toInstant();
        Instant to = certificate.getNotAfter().toInstant();
        if (now.isAfter(to)) {
            findings.add(new Finding(role, false, "the certificate of " + subject(certificate) + " expired at " + to));
        } else if (now.isBefore(from)) {
            findings.add(new Finding(
                    role, false, "the certificate of " + subject(certificate) + " is not valid before " + from));
        }
    }

    private static @Nullable PrivateKey key(TlsFiles files, Findings findings) {
        @Nullable Path file = files.key();
        if (file == null) {
            return null;
        }
        try {
            return PemFile.read(file).privateKey();
        } catch (PemException e) {
            findings.add(new Finding(TlsFiles.Role.KEY, true, e.phrase()));
            return null;
        }
    }

    private static String subject(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().getName();
        return name.isEmpty() ? "serial number " + certificate.getSerialNumber().toString(16) : name;
    }

    /** Whether what one signs the other verifies. */
    private static boolean belong(PublicKey publicKey, PrivateKey privateKey) {
        String algorithm = switch (privateKey.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> privateKey.getAlgorithm();
        };
        try {
            byte[] message = {1, 2, 3};
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(privateKey);
            signature.update(message);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(message);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}

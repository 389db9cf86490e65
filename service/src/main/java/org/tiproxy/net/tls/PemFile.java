package org.tiproxy.net.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A file of PEM blocks: certificates, or a private key as PKCS#8, PKCS#1 (RSA) or SEC 1 (EC), not encrypted. */
final class PemFile {
    /** Far more than any bundle of certificates has. */
    private static final int MAX_SIZE = 4 << 20;

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s(.*?)-----END \\1-----", Pattern.DOTALL);
    private static final String[] KEY_ALGORITHMS = {"RSA", "EC", "EdDSA"};
    private static final String RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    private static final String EC_PUBLIC_KEY = "1.2.840.10045.2.1";

    private record Block(String label, String body) {
        byte[] bytes() throws PemException {
            try {
                return Base64.getMimeDecoder().decode(body);
            } catch (IllegalArgumentException e) {
                throw new PemException("the block \"" + label + "\" is damaged (not base64)");
            }
        }
    }

    private final List<Block> blocks = new ArrayList<>();

    private PemFile(String text) {
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            blocks.add(new Block(matcher.group(1), matcher.group(2)));
        }
    }

    static PemFile read(Path file) throws PemException {
        if (Files.isDirectory(file)) {
            throw new PemException("is a folder");
        }
        if (!Files.exists(file)) {
            throw new PemException("no such file");
        }
        if (!Files.isReadable(file)) {
            throw new PemException("cannot be read: permission denied");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_SIZE + 1);
            if (bytes.length > MAX_SIZE) {
                throw new PemException("is larger than " + (MAX_SIZE >> 20) + " MB, so it is no PEM file");
            }
            return new PemFile(new String(bytes, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new PemException("cannot be read: " + e.getMessage());
        }
    }

    /** All certificates, at least one, in the file's order. */
    List<X509Certificate> certificates() throws PemException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks) {
            if (block.label().equals("CERTIFICATE") || block.label().equals("X509 CERTIFICATE")) {
                try {
                    CertificateFactory factory = CertificateFactory.getInstance("X.509");
                    certificates.add(
                            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.bytes())));
                } catch (CertificateException e) {
                    throw new PemException("certificate " + (certificates.size() + 1) + " is damaged");
                }
            }
        }
        if (certificates.isEmpty()) {
            throw new PemException("holds no certificate (no line -----BEGIN CERTIFICATE-----)" + found());
        }
        return certificates;
    }

    /** The first private key. */
    PrivateKey privateKey() throws PemException {
        @Nullable Block parameters = null;
        for (Block block : blocks) {
            switch (block.label()) {
                case "PRIVATE KEY" -> {
                    return pkcs8(block.bytes());
                }
                case "RSA PRIVATE KEY" -> {
                    checkPlain(block);
                    byte[] algorithm = Der.sequence(Der.oid(RSA_ENCRYPTION), Der.NULL);
                    return pkcs8(Der.sequence(Der.integer(0), algorithm, Der.octetString(block.bytes())));
                }
                case "EC PARAMETERS" -> parameters = block;
                case "EC PRIVATE KEY" -> {
                    checkPlain(block);
                    return sec1(block, parameters);
                }
                case "ENCRYPTED PRIVATE KEY" -> throw encrypted();
                default -> {
                    // A certificate, for example: one file may hold both.
                }
            }
        }
        throw new PemException("holds no private key (no line -----BEGIN PRIVATE KEY-----)" + found());
    }

    private static PrivateKey sec1(Block block, @Nullable Block parameters) throws PemException {
        byte[] key = block.bytes();
        byte @Nullable [] curve = Der.explicitIn(key, 0);
        if (curve == null && parameters != null) {
            curve = parameters.bytes();
        }
        if (curve == null) {
            throw new PemException("the private key does not name its curve");
        }
        byte[] algorithm = Der.sequence(Der.oid(EC_PUBLIC_KEY), curve);
        return pkcs8(Der.sequence(Der.integer(0), algorithm, Der.octetString(key)));
    }

    private static PrivateKey pkcs8(byte[] encoded) throws PemException {
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
            } catch (InvalidKeySpecException e) {
                // A key of another kind.
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has " + algorithm, e);
            }
        }
        throw new PemException("the private key is damaged, or of a kind that Java does not know");
    }

    private static void checkPlain(Block block) throws PemException {
        if (block.body().contains("ENCRYPTED")) {
            throw encrypted();
        }
    }

    private static PemException encrypted() {
        return new PemException("the private key is encrypted, which is not supported: write it without a password with"
                + " `openssl pkey -in KEY -out NEW`, readable by tiproxy's user only");
    }

    private String found() {
        if (blocks.isEmpty()) {
            return "; it is no PEM file";
        }
        return "; found " + String.join(", ", blocks.stream().map(Block::label).toList());
    }
}

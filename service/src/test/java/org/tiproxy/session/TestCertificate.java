package org.tiproxy.session;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A key and a self-signed certificate for tests of TLS. */
public final class TestCertificate {
    /** The key store's password. */
    public static final String PASSWORD = "changeit";

    private TestCertificate() {}

    /** Makes a PKCS #12 key store in a directory. */
    public static Path create(Path directory) throws IOException, InterruptedException {
        Path keyStore = directory.resolve("keys.p12");
        String[] keytool = {
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "proxy",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-dname",
            "CN=localhost",
            "-storetype",
            "PKCS12",
            "-storepass",
            PASSWORD,
            "-keystore",
            keyStore.toString()
        };
        Process process = new ProcessBuilder(keytool).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(output);
        }
        return keyStore;
    }
}

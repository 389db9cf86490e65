package org.tiproxy.net;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.SessionContractTest;
import org.tiproxy.session.TestCertificate;

/** The contract over Netty's channels. */
class NettySessionContractTest extends SessionContractTest {
    private static Path keyStore;
    private static SslContext clientTls;
    private static SslContext backendTls;

    @BeforeAll
    static void makeCertificate(@TempDir Path directory) throws Exception {
        keyStore = TestCertificate.create(directory);
        KeyStore entries = KeyStore.getInstance("PKCS12");
        char[] password = TestCertificate.PASSWORD.toCharArray();
        try (InputStream in = Files.newInputStream(keyStore)) {
            entries.load(in, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(entries, password);
        clientTls = SslContextBuilder.forServer(keys).build();
        backendTls = SslContextBuilder.forClient()
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .endpointIdentificationAlgorithm(null)
                .build();
    }

    @Override
    protected EngineHarness open(SessionConfig config) {
        try {
            return new NettyHarness(config, keyStore, clientTls, backendTls);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}

package org.tiproxy.net;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.SessionContractTest;
import org.tiproxy.session.TestCertificate;

/** The contract over Netty's channels. */
class NettySessionContractTest extends SessionContractTest {
    private static Path keyStore;

    @BeforeAll
    static void makeCertificate(@TempDir Path directory) throws Exception {
        keyStore = TestCertificate.create(directory);
    }

    @Override
    protected EngineHarness open(SessionConfig config) {
        try {
            return new NettyHarness(config, keyStore);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}

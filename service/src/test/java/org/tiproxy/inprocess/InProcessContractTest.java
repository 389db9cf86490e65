package org.tiproxy.inprocess;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.session.CommandContractTest;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.PooledLogin;
import org.tiproxy.session.TestCertificate;

/** The contract on a driver's own thread. */
class InProcessContractTest extends CommandContractTest {
    private static Path keyStore;

    @BeforeAll
    static void makeCertificate(@TempDir Path directory) throws Exception {
        keyStore = TestCertificate.create(directory);
    }

    @Override
    protected EngineHarness openLoggedIn() {
        try {
            EngineHarness session = new InProcessHarness(keyStore);
            PooledLogin.logIn(session);
            return session;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}

package org.tiproxy.session;

/** The contract without an adapter. */
class MemorySessionContractTest extends SessionContractTest {
    @Override
    protected EngineHarness open(SessionConfig config) {
        return new MemoryHarness(config);
    }
}

package org.tiproxy.session;

import org.tiproxy.session.EngineHarness.Peer;
import org.tiproxy.wire.Bytes;

/** The login of a session that authenticates its client itself: user {@code root} without a password. */
public final class PooledLogin {
    private PooledLogin() {}

    /** Logs the client in, and the proxy at the backend. */
    public static void logIn(EngineHarness session) {
        Peer client = session.client();
        Peer backend = session.backend();
        backend.send(Packets.greeting());
        CommandContractTest.receive(client, 0);
        client.send(Packets.bytes(
                Packets.response(Packets.CLIENT_CAPABILITIES, "mysql_native_password", Bytes.EMPTY)
                        .encode(),
                1));
        CommandContractTest.receive(backend, 1);
        backend.send(Packets.ok(2));
        CommandContractTest.receive(client, 2);
    }
}

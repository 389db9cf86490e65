package org.tiproxy.net;

import java.nio.ByteBuffer;
import org.tiproxy.common.HostPort;
import org.tiproxy.session.BackendLogin;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.BackendTalk;
import org.tiproxy.wire.server.HandshakeV10;

/** A login on a new connection, and TLS before it. */
final class LoginTalk implements BackendTalk {
    final BackendLogin login;
    private final MySqlProtocol protocol;
    private final PooledConnection connection;
    private final HostPort backend;
    private boolean tlsStarted;

    LoginTalk(
            MySqlProtocol protocol,
            PooledConnection connection,
            BackendRequest request,
            HandshakeV10 greeting,
            HostPort backend) {
        this.protocol = protocol;
        this.connection = connection;
        this.backend = backend;
        this.login =
                new BackendLogin(request, protocol.config().backendTls(), BackendPool.ATTRIBUTES, connection::send);
        login.greeted(greeting);
        startTlsIfDue();
    }

    @Override
    public void bytes(ByteBuffer chunk) {
        login.bytes(chunk);
    }

    @Override
    public boolean isOver() {
        return login.state() == BackendLogin.State.DONE || login.state() == BackendLogin.State.FAILED;
    }

    private void startTlsIfDue() {
        if (login.state() == BackendLogin.State.TLS_WANTED && !tlsStarted) {
            tlsStarted = true;
            connection.startTls(protocol.backendTlsHandler(connection.channel, backend), backend, login::tlsStarted);
        }
    }
}

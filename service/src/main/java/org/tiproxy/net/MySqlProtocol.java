package org.tiproxy.net;

import static java.util.Objects.requireNonNull;

import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.session.SessionConfig;

/** What all MySQL sessions of a listener have in common. Thread-safe. */
final class MySqlProtocol {
    /**
     * Connection ids that clients see begin here, far above the thread ids that servers count up from 1: a KILL with an
     * id from SHOW PROCESSLIST means the server's own.
     */
    private static final int VIRTUAL_ID_BASE = 0x4000_0000;

    private static final int VIRTUAL_ID_MASK = 0x3fff_ffff;

    private final SessionConfig config;
    private final SessionRegistry sessions;
    private final Duration loginTimeout;
    private final @Nullable SslContext clientTls;
    private final @Nullable SslContext backendTls;

    MySqlProtocol(
            SessionConfig config,
            SessionRegistry sessions,
            Duration loginTimeout,
            @Nullable SslContext clientTls,
            @Nullable SslContext backendTls) {
        this.config = config;
        this.sessions = sessions;
        this.loginTimeout = loginTimeout;
        this.clientTls = clientTls;
        this.backendTls = backendTls;
    }

    SessionConfig config() {
        return config;
    }

    Duration loginTimeout() {
        return loginTimeout;
    }

    int virtualId(long sessionId) {
        return VIRTUAL_ID_BASE | (int) (sessionId & VIRTUAL_ID_MASK);
    }

    long backendIdOf(long virtualId) {
        if ((virtualId & ~VIRTUAL_ID_MASK) != VIRTUAL_ID_BASE) {
            return 0;
        }
        // Session ids and virtual ids agree for the first billion sessions.
        ProxySession victim = sessions.find(virtualId & VIRTUAL_ID_MASK);
        return victim instanceof MySqlSession session ? session.backendConnectionId() : 0;
    }

    /** The share of a new session in what is counted over all. */
    SessionCounters.Share newShare() {
        return sessions.counters().newShare();
    }

    /** The server's side of TLS; only called if the configuration offers TLS to clients. */
    SslHandler clientTlsHandler(SocketChannel channel) {
        return requireNonNull(clientTls, "TLS towards clients").newHandler(channel.alloc());
    }

    /** The client's side of TLS; only called if the configuration wants TLS towards backends. */
    SslHandler backendTlsHandler(SocketChannel channel, HostPort backend) {
        return requireNonNull(backendTls, "TLS towards backends")
                .newHandler(channel.alloc(), backend.host(), backend.port());
    }
}

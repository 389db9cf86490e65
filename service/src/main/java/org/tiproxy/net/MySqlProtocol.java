package org.tiproxy.net;

import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionKiller;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.net.tls.ProxyTls;
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
    private final SessionKiller killer;
    private final Duration loginTimeout;
    private final ProxyTls tls;

    MySqlProtocol(SessionConfig config, SessionRegistry sessions, Duration loginTimeout, ProxyTls tls) {
        this.config = config;
        this.sessions = sessions;
        this.killer = new SessionKiller(sessions);
        this.loginTimeout = loginTimeout;
        this.tls = tls;
    }

    SessionConfig config() {
        return config;
    }

    Duration loginTimeout() {
        return loginTimeout;
    }

    /** What the client of a session is told as its connection id. */
    static int virtualId(long sessionId) {
        return VIRTUAL_ID_BASE | (int) (sessionId & VIRTUAL_ID_MASK);
    }

    /** The session that a client means by a connection id; null if it is not one of ours, or not there any more. */
    @Nullable
    MySqlSession find(long virtualId) {
        if ((virtualId & ~VIRTUAL_ID_MASK) != VIRTUAL_ID_BASE) {
            return null;
        }
        // Session ids and virtual ids agree for the first billion sessions.
        return sessions.find(virtualId & VIRTUAL_ID_MASK) instanceof MySqlSession session ? session : null;
    }

    SessionKiller killer() {
        return killer;
    }

    /** The share of a new session in what is counted over all. */
    SessionCounters.Share newShare() {
        return sessions.counters().newShare();
    }

    /** The server's side of TLS; only called if the configuration offers TLS to clients. */
    SslHandler clientTlsHandler(SocketChannel channel) {
        return tls.clientHandler(channel.alloc());
    }

    /** The client's side of TLS; only called if the configuration wants TLS towards backends. */
    SslHandler backendTlsHandler(SocketChannel channel, HostPort backend) {
        return tls.backendHandler(channel.alloc(), backend);
    }
}

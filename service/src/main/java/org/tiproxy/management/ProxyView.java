package org.tiproxy.management;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.tiproxy.engine.Listener;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionKiller;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/** The proxy as JMX shows it. */
public final class ProxyView implements ProxyMXBean {
    private static final int MAX_DRAIN_SECONDS = 86_400;
    private static final long KILL_SECONDS = 10;

    private final ProxyLifecycle lifecycle;
    private final SessionRegistry sessions;
    private final SessionCounters counters;
    private final SessionKiller killer;
    private final Listener listener;
    private final String backend;
    private final String protocol;
    private final String transport;

    /** A view of one listener. */
    public ProxyView(
            ProxyLifecycle lifecycle,
            SessionRegistry sessions,
            Listener listener,
            String backend,
            String protocol,
            String transport) {
        this.lifecycle = lifecycle;
        this.sessions = sessions;
        this.counters = sessions.counters();
        this.killer = new SessionKiller(sessions);
        this.listener = listener;
        this.backend = backend;
        this.protocol = protocol;
        this.transport = transport;
    }

    @Override
    public String getState() {
        return lifecycle.state().name();
    }

    @Override
    public String getBindAddress() {
        return listener.address().toString();
    }

    @Override
    public String getBackendAddress() {
        return backend;
    }

    @Override
    public String getProtocol() {
        return protocol;
    }

    @Override
    public String getTransport() {
        return transport;
    }

    @Override
    public int getActiveConnections() {
        return sessions.active();
    }

    @Override
    public long getConnectionsTotal() {
        return sessions.connectionsTotal();
    }

    @Override
    public long getRejectedTotal() {
        return sessions.rejectedTotal();
    }

    @Override
    public int getHalfOpenLogins() {
        return listener.halfOpenLogins();
    }

    @Override
    public long getBadProxyHeadersTotal() {
        return listener.badProxyHeadersTotal();
    }

    @Override
    public long getFailedTotal() {
        return sessions.failedTotal();
    }

    @Override
    public long getBytesReceivedTotal() {
        return sessions.bytesReceivedTotal();
    }

    @Override
    public long getBytesSentTotal() {
        return sessions.bytesSentTotal();
    }

    @Override
    public long getCommandsTotal() {
        return counters.commandsTotal();
    }

    @Override
    public int getSessionsInTransaction() {
        return Math.toIntExact(counters.sessionsInTransaction());
    }

    @Override
    public int getTlsSessions() {
        return Math.toIntExact(counters.tlsSessions());
    }

    @Override
    public long getAuthFailuresTotal() {
        return counters.authFailuresTotal();
    }

    @Override
    public long getHandshakeFailuresTotal() {
        return counters.handshakeFailuresTotal();
    }

    @Override
    public Map<String, Long> getHandshakeFailuresByReason() {
        return counters.handshakeFailuresByReason();
    }

    @Override
    public ErrorCounts getErrorsBySource() {
        return new ErrorCounts(
                counters.errorsOf(ErrorSource.CLIENT),
                counters.errorsOf(ErrorSource.PROXY),
                counters.errorsOf(ErrorSource.BACKEND));
    }

    @Override
    public Map<String, Long> getSessionsEndedByReason() {
        return counters.sessionsEndedByReason();
    }

    @Override
    public int getMaxConnections() {
        return sessions.maxConnections();
    }

    @Override
    public void setMaxConnections(int maxConnections) {
        sessions.setMaxConnections(maxConnections);
    }

    @Override
    public String pause() {
        return lifecycle.pause();
    }

    @Override
    public String resume() {
        try {
            return lifecycle.resume();
        } catch (ProxyException e) {
            // A JMX client need not have our classes.
            throw new IllegalStateException(e.getMessage());
        }
    }

    @Override
    public String drain(int seconds) {
        if (seconds < 0 || seconds > MAX_DRAIN_SECONDS) {
            throw new IllegalArgumentException("drain(" + seconds + "): give 0 to " + MAX_DRAIN_SECONDS + " seconds");
        }
        try {
            // Closing what is left takes a moment after the deadline.
            return lifecycle.drain(Duration.ofSeconds(seconds)).get(seconds + 5L, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return "still draining with " + sessions.active() + " connections open";
        } catch (ExecutionException e) {
            throw failed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted; the drain goes on with " + sessions.active() + " connections open";
        }
    }

    @Override
    public boolean closeConnection(long id) {
        ProxySession session = sessions.find(id);
        if (session == null) {
            return false;
        }
        session.close(ProxyError.CLOSED_BY_OPERATOR, "closed by an operator");
        return true;
    }

    @Override
    public boolean killSession(long id) {
        return killer.killSession(id);
    }

    @Override
    public String killQuery(long id) {
        try {
            return killer.killQuery(id).get(KILL_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException("KILL QUERY for session " + id
                    + " was sent, and the backend has not answered" + " within " + KILL_SECONDS + " s");
        } catch (ExecutionException e) {
            throw failed(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted; the backend's answer to KILL QUERY was not awaited";
        }
    }

    @Override
    public List<ConnectionInfo> listConnections() {
        return sessions.sessions().stream()
                .sorted(Comparator.comparingLong(ProxySession::id))
                .map(ConnectionInfo::of)
                .toList();
    }

    /** A JMX client need not have our classes. */
    private static IllegalStateException failed(ExecutionException failure) {
        Throwable cause = failure.getCause();
        return new IllegalStateException(cause == null ? failure.getMessage() : cause.getMessage());
    }
}

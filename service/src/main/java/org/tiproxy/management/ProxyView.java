package org.tiproxy.management;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.tiproxy.engine.Listener;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyException;

/** The proxy as JMX shows it. */
public final class ProxyView extends SessionsView implements ProxyMXBean {
    private static final int MAX_DRAIN_SECONDS = 86_400;

    private final ProxyLifecycle lifecycle;
    private final SessionRegistry sessions;
    private final SessionCounters counters;
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
        super(sessions);
        this.lifecycle = lifecycle;
        this.sessions = sessions;
        this.counters = sessions.counters();
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
}

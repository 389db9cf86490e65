package org.tiproxy.management;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionKiller;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.error.ProxyError;

/** Sessions as JMX shows them, wherever their clients are. */
public sealed class SessionsView implements SessionsMXBean permits ProxyView {
    private static final long KILL_SECONDS = 10;

    private final SessionRegistry sessions;
    private final SessionCounters counters;
    private final SessionKiller killer;

    /** A view of these sessions. */
    public SessionsView(SessionRegistry sessions) {
        this.sessions = sessions;
        this.counters = sessions.counters();
        this.killer = new SessionKiller(sessions);
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
    static IllegalStateException failed(ExecutionException failure) {
        Throwable cause = failure.getCause();
        return new IllegalStateException(cause == null ? failure.getMessage() : cause.getMessage());
    }
}

package org.tiproxy.engine;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The live sessions and the counters over all sessions ever. Thread-safe; nothing blocks or locks.
 *
 * <p>Every accepted connection is counted once in {@link #connectionsTotal}; it is either rejected or becomes a session.
 */
public final class SessionRegistry {
    private final Map<Long, ProxySession> sessions = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final AtomicInteger active = new AtomicInteger();
    private final LongAdder connectionsTotal = new LongAdder();
    private final LongAdder rejectedTotal = new LongAdder();
    private final LongAdder failedTotal = new LongAdder();
    private final LongAdder bytesReceivedTotal = new LongAdder();
    private final LongAdder bytesSentTotal = new LongAdder();
    private final SessionCounters counters = new SessionCounters();
    private final AtomicReference<@Nullable CompletableFuture<Void>> empty = new AtomicReference<>();
    private volatile int maxConnections;

    /** A registry that admits {@code maxConnections} sessions at a time, zero for any number. */
    public SessionRegistry(int maxConnections) {
        setMaxConnections(maxConnections);
    }

    /** The next session's id. */
    public long nextId() {
        return lastId.incrementAndGet();
    }

    /** Takes one of the {@code maxConnections} places for a new connection; {@link #remove} gives it back. */
    public boolean tryAdmit() {
        connectionsTotal.increment();
        int limit = maxConnections;
        int now = active.incrementAndGet();
        if (limit > 0 && now > limit) {
            rejectedTotal.increment();
            leave();
            return false;
        }
        return true;
    }

    /** Counts a connection that was turned away for another reason than {@code maxConnections}. */
    public void countRejected() {
        connectionsTotal.increment();
        rejectedTotal.increment();
    }

    /** Lists a session that was admitted. */
    public void add(ProxySession session) {
        sessions.put(session.id(), session);
    }

    /** Takes a session off the list and gives its place back; the first call counts. */
    public void remove(ProxySession session) {
        if (sessions.remove(session.id(), session)) {
            leave();
        }
    }

    private void leave() {
        if (active.decrementAndGet() == 0) {
            CompletableFuture<Void> waiting = empty.getAndSet(null);
            if (waiting != null) {
                waiting.complete(null);
            }
        }
    }

    /** Completes when no session is left, perhaps at once. */
    public CompletableFuture<Void> whenEmpty() {
        CompletableFuture<Void> waiting =
                empty.updateAndGet(current -> current == null ? new CompletableFuture<>() : current);
        // Nobody may be left who would complete it.
        if (active.get() == 0) {
            empty.compareAndSet(waiting, null);
            waiting.complete(null);
        }
        return waiting;
    }

    /** Counts a session that ended because its backend could not be started or reached. */
    public void countFailed() {
        failedTotal.increment();
    }

    /** Counts bytes from clients. */
    public void countReceived(int bytes) {
        bytesReceivedTotal.add(bytes);
    }

    /** Counts bytes from the backend, to be passed on to a client. */
    public void countSent(int bytes) {
        bytesSentTotal.add(bytes);
    }

    /** What is counted over the sessions whose protocol the proxy understands. */
    public SessionCounters counters() {
        return counters;
    }

    /** The session with this id, or null. */
    public @Nullable ProxySession find(long id) {
        return sessions.get(id);
    }

    /** The live sessions: a view that changes while it is read. */
    public Collection<ProxySession> sessions() {
        return Collections.unmodifiableCollection(sessions.values());
    }

    /** Sessions open now. */
    public int active() {
        return active.get();
    }

    /** Connections accepted, rejected ones included. */
    public long connectionsTotal() {
        return connectionsTotal.sum();
    }

    /** Connections turned away at once because {@code maxConnections}, or too many logins, were open. */
    public long rejectedTotal() {
        return rejectedTotal.sum();
    }

    /** Sessions that ended because their backend could not be started or reached. */
    public long failedTotal() {
        return failedTotal.sum();
    }

    /** Bytes from all clients. */
    public long bytesReceivedTotal() {
        return bytesReceivedTotal.sum();
    }

    /** Bytes from the backend, to be passed on to clients. */
    public long bytesSentTotal() {
        return bytesSentTotal.sum();
    }

    /** The most sessions at a time; zero for any number. */
    public int maxConnections() {
        return maxConnections;
    }

    /**
     * Changes the limit for connections to come; open ones stay.
     *
     * @throws IllegalArgumentException if negative
     */
    public void setMaxConnections(int maxConnections) {
        if (maxConnections < 0) {
            throw new IllegalArgumentException(
                    "max-connections " + maxConnections + " is negative: give 0 for unlimited, or at least 1");
        }
        this.maxConnections = maxConnections;
    }
}

package org.tiproxy.net;

import io.netty.channel.socket.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ProxyError;
import org.tiproxy.pool.AcquireException;
import org.tiproxy.pool.Lease;

/**
 * Relays one client over a backend connection that others have used before and will use after it.
 *
 * <p>The connection is taken from the pool when the client's first bytes are there, not before: a client that says nothing
 * needs none, and what the backend still sends while a connection waits condemns it.
 *
 * <p><b>When a client leaves.</b> TCP does not tell a client that has gone from one that has ended its output and waits for
 * an answer, and nobody here knows where an answer ends. So a client's end is not passed on at first. The connection goes
 * back to the pool when
 *
 * <ul>
 *   <li>the last bytes on it came from the backend: nothing that the client has sent is without any answer, and
 *   <li>all of them have been written to the client, whose socket has not been reset since, and
 *   <li>nothing has come for the quiet time; and the backend has never paused for longer than that before it went on, in
 *       which case the quiet time would prove nothing.
 * </ul>
 *
 * <p>The relay's handler is then taken away from the connection, and the client's socket is closed. A client whose bytes
 * have no answer after the quiet time has its end passed on like that of any other session; the connection serves it to
 * its end and is closed. It is also closed whenever a side breaks, an operator ends the session, or the backend ends its
 * output.
 */
final class PooledTcpSession extends TcpSession {
    /** How often in a row a connection may turn out to be dead after it was acquired. */
    private static final int MAX_ATTEMPTS = 3;

    private final TcpBackendPool pool;
    private final long quietNanos;

    private boolean admitted;
    private @Nullable CompletableFuture<Lease<PooledChannel>> pending;
    private @Nullable Lease<PooledChannel> lease;

    private long lastBytes;
    private boolean answered;
    private boolean pauses;
    private boolean endPassed;

    PooledTcpSession(ProxyListener proxy, TcpBackendPool pool, SocketChannel clientChannel) {
        super(proxy, clientChannel);
        this.pool = pool;
        this.quietNanos = pool.quietTime().toNanos();
    }

    // ---- from the pool

    @Override
    void connect() {
        proxy.backendAdmits();
        admitted = true;
        held();
    }

    @Override
    void held() {
        if (admitted && isHolding()) {
            super.connect();
        }
    }

    @Override
    void connectBackend() {
        acquire(1);
    }

    private void acquire(int attempt) {
        CompletableFuture<Lease<PooledChannel>> acquiring = pool.acquire();
        pending = acquiring;
        acquiring.whenComplete((acquired, failure) -> onLoop(() -> {
            if (acquired == null) {
                if (pending == acquiring) {
                    pending = null;
                    refuse(failure);
                }
            } else if (pending != acquiring) {
                acquired.release();
            } else {
                acquired.connection()
                        .moveTo(client.channel.eventLoop(), lost -> moved(acquired, acquiring, attempt, lost));
            }
        }));
    }

    private void moved(
            Lease<PooledChannel> acquired, CompletableFuture<?> acquiring, int attempt, @Nullable String lost) {
        PooledChannel connection = acquired.connection();
        boolean usable = lost == null && pool.isUsable(connection);
        if (lost != null) {
            acquired.releaseBroken(lost);
        } else if (!usable) {
            acquired.releaseBroken(connection.isAlive() ? "closed by the backend" : connection.whyLost());
        } else if (pending != acquiring) {
            acquired.release();
        }
        if (pending != acquiring) {
            return;
        }
        pending = null;
        if (usable) {
            Leg leg = new Leg(connection.channel, false);
            connection.attach(leg);
            lease = acquired;
            lastBytes = proxy.ticker().nanoTime();
            established(leg, acquired.address());
        } else if (attempt < MAX_ATTEMPTS) {
            acquire(attempt + 1);
        } else {
            unreachable(
                    ProxyError.BACKEND_LOST,
                    "backend " + acquired.address() + ": " + attempt + " connections in a row were lost");
        }
    }

    private void refuse(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        boolean full = cause instanceof AcquireException refusal && refusal.reason() == AcquireException.Reason.TIMEOUT;
        unreachable(
                full ? ProxyError.TOO_MANY_CONNECTIONS : ProxyError.BACKEND_UNREACHABLE,
                String.valueOf(cause.getMessage()));
    }

    // ---- while it is ours

    @Override
    void passing(Leg from) {
        long now = proxy.ticker().nanoTime();
        if (from == client) {
            answered = false;
        } else {
            answered = true;
            pauses |= now - lastBytes > quietNanos;
        }
        lastBytes = now;
    }

    @Override
    void clientFinished(Leg to) {
        if (pauses) {
            passClientsEnd(to);
        } else {
            awaitQuiet(to);
        }
    }

    private void awaitQuiet(Leg connection) {
        long rest = lastBytes + quietNanos - proxy.ticker().nanoTime();
        client.channel.eventLoop().schedule(() -> lookForQuiet(connection), Math.max(rest, 0), TimeUnit.NANOSECONDS);
    }

    private void lookForQuiet(Leg connection) {
        if (state() != TcpSessionState.RELAYING || endPassed) {
            return;
        }
        if (pauses) {
            passClientsEnd(connection);
        } else if (proxy.ticker().nanoTime() - lastBytes < quietNanos) {
            awaitQuiet(connection);
        } else if (!answered) {
            passClientsEnd(connection);
        } else if (isWritten(connection)) {
            if (client.broken || proxy.transport().wasReset(client.channel)) {
                passClientsEnd(connection);
            } else {
                leave(null, "the client has finished");
            }
        } else {
            // The client reads slowly. It is looked at again after another quiet time.
            lastBytes = proxy.ticker().nanoTime();
            awaitQuiet(connection);
        }
    }

    private boolean isWritten(Leg connection) {
        return Traffic.unsent(client.channel) == 0
                && Traffic.unsent(connection.channel) == 0
                && connection.channel.config().isAutoRead();
    }

    private void passClientsEnd(Leg connection) {
        endPassed = true;
        super.clientFinished(connection);
    }

    @Override
    void bothFinished() {
        Leg connection = backend;
        if (connection != null && client.inputEnded && !endPassed) {
            endPassed = true;
            passEnd(connection);
        }
    }

    // ---- to the pool

    @Override
    void idleTooLong(String reason) {
        Leg connection = backend;
        boolean quiet = proxy.ticker().nanoTime() - lastBytes >= quietNanos;
        if (connection != null && quiet && answered && !pauses && !connection.inputEnded && isWritten(connection)) {
            leave(ProxyError.IDLE_TIMEOUT, reason);
        } else {
            super.idleTooLong(reason);
        }
    }

    /** The session ends, its connection does not. */
    private void leave(@Nullable ProxyError cause, String reason) {
        Leg connection = backend;
        Lease<PooledChannel> borrowed = lease;
        if (connection == null || borrowed == null) {
            throw new IllegalStateException("no backend connection to give back");
        }
        lease = null;
        backend = null;
        borrowed.connection().detach(connection);
        borrowed.release();
        moveTo(TcpSessionState.CLOSING);
        end(cause, reason);
    }

    @Override
    void end(@Nullable ProxyError cause, @Nullable String reason) {
        CompletableFuture<?> acquiring = pending;
        pending = null;
        super.end(cause, reason);
        if (acquiring != null) {
            acquiring.cancel(false);
        }
    }

    @Override
    void closeBackend(Leg leg) {
        super.closeBackend(leg);
        Lease<PooledChannel> borrowed = lease;
        if (borrowed == null) {
            return;
        }
        lease = null;
        if (leg.broken && !endPassed) {
            borrowed.markBroken(leg.breakage == null ? "closed unexpectedly" : leg.breakage);
        } else {
            borrowed.retire("its client or its backend has ended it");
        }
        borrowed.release();
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyException;

/** A session's stay behind a {@link BackendGate}: the backend is started for it if need be, and not stopped meanwhile. */
final class GateVisit implements BackendGate.Visitor, AutoCloseable {
    private final CompletableFuture<Void> answer = new CompletableFuture<>();
    private final BackendGate.Ticket ticket;

    GateVisit(BackendGate gate) {
        this.ticket = gate.enter(this);
    }

    /**
     * Waits until the backend may be connected to.
     *
     * @param timeout zero for as long as the gate takes
     */
    void await(Duration timeout) throws IOException {
        try {
            if (timeout.isZero()) {
                answer.get();
            } else {
                answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (TimeoutException e) {
            SocketTimeoutException timedOut =
                    new SocketTimeoutException("the backend is not ready after " + timeout.toMillis() + " ms");
            timedOut.initCause(e);
            throw timedOut;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(cause.getMessage(), cause);
        } catch (CancellationException e) {
            SocketException closed = new SocketException("Socket closed");
            closed.initCause(e);
            throw closed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException stopped = new InterruptedIOException("interrupted while waiting for the backend");
            stopped.initCause(e);
            throw stopped;
        }
    }

    @Override
    public void admitted() {
        answer.complete(null);
    }

    @Override
    public void refused(ProxyException cause) {
        answer.completeExceptionally(cause);
    }

    /** Its connections tell. */
    @Override
    public void backendGone(String reason) {}

    @Override
    public void close() {
        answer.cancel(false);
        ticket.close();
    }
}

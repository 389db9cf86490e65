package org.tiproxy.agent.install;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.error.ProxyException;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;

/**
 * Lets a connection that leads to the on-demand child wait until the child is there, and tells the child's gate how many
 * there are. The child is in use as long as drivers have connections to it, not as long as the pool keeps some.
 */
final class OnDemandBackend implements DriverProxy {
    /** Makes the gate, or says why there can be none now. */
    @FunctionalInterface
    interface GateOpener {
        BackendGate open() throws IOException;
    }

    private final HostPort child;
    private final GateOpener opener;
    private final Backends backends;
    private final DriverProxy engine;
    private @Nullable BackendGate opened;

    OnDemandBackend(HostPort child, GateOpener opener, Backends backends, DriverProxy engine) {
        this.child = child;
        this.opener = opener;
        this.backends = backends;
        this.engine = engine;
    }

    @Override
    public DriverConnection open(DriverLogin login) throws IOException {
        if (!backends.of(login.address()).contains(child)) {
            return engine.open(login);
        }
        BackendGate.Ticket ticket = enter(login);
        try {
            return new Visit(engine.open(login), ticket);
        } catch (IOException | RuntimeException | Error e) {
            ticket.close();
            throw e;
        }
    }

    /** Asks again for a gate that could not be had: whoever else had the child may be gone. */
    private synchronized BackendGate gate() throws IOException {
        BackendGate gate = opened;
        if (gate == null) {
            gate = opener.open();
            opened = gate;
        }
        return gate;
    }

    /** Waits as long as the driver does; for ever if it does, because the supervisor's own time-outs end that. */
    private BackendGate.Ticket enter(DriverLogin login) throws IOException {
        CompletableFuture<Void> admission = new CompletableFuture<>();
        BackendGate.Ticket ticket = gate().enter(new BackendGate.Visitor() {
            @Override
            public void admitted() {
                admission.complete(null);
            }

            @Override
            public void refused(ProxyException cause) {
                admission.completeExceptionally(cause);
            }

            @Override
            public void backendGone(String reason) {
                // The connection's own bytes end with it.
            }
        });
        boolean admitted = false;
        try {
            if (login.timeout().isZero()) {
                admission.get();
            } else {
                admission.get(login.timeout().toNanos(), TimeUnit.NANOSECONDS);
            }
            admitted = true;
            return ticket;
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            ConnectException refused = new ConnectException(String.valueOf(cause.getMessage()));
            refused.initCause(cause);
            throw refused;
        } catch (TimeoutException e) {
            throw new SocketTimeoutException("the backend at " + child + " is still being started after "
                    + login.timeout().toMillis() + " ms, the driver's connect timeout");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the backend at " + child + " was being started");
        } finally {
            if (!admitted) {
                ticket.close();
            }
        }
    }

    /** A connection that leaves the gate when it is closed. */
    private record Visit(DriverConnection connection, BackendGate.Ticket ticket) implements DriverConnection {
        @Override
        public int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
            return connection.read(target, offset, length, timeoutMillis);
        }

        @Override
        public int available() {
            return connection.available();
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            connection.write(source, offset, length);
        }

        @Override
        public void expectUser(String user, Secret password) {
            connection.expectUser(user, password);
        }

        @Override
        public void close() {
            try {
                connection.close();
            } finally {
                ticket.close();
            }
        }
    }
}

package org.tiproxy.supervisor;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyException;

/**
 * One visitor at the gate, and the ticket it holds.
 *
 * <p>A visitor may be admitted on its own thread while the supervisor's thread already knows that the backend has gone.
 * This class keeps the order: {@code backendGone} follows {@code admitted}, never overlaps it, and comes at most once.
 */
final class Visit implements BackendGate.Ticket {
    private static final Logger log = LoggerFactory.getLogger(Visit.class);

    private final BackendGate.Visitor visitor;
    private final Consumer<Visit> leave;
    private final AtomicBoolean left = new AtomicBoolean();
    private final AtomicBoolean goneDelivered = new AtomicBoolean();
    private volatile boolean admitted;
    private volatile @Nullable String goneReason;

    /** @param leave told once, when the ticket is closed */
    Visit(BackendGate.Visitor visitor, Consumer<Visit> leave) {
        this.visitor = visitor;
        this.leave = leave;
    }

    @Override
    public void close() {
        if (left.compareAndSet(false, true)) {
            leave.accept(this);
        }
    }

    /** Tells the visitor to come in. Never under a lock. */
    void admit() {
        tell(visitor::admitted);
        admitted = true;
        deliverGone();
    }

    /** Sends the visitor away. Never under a lock. */
    void refuse(ProxyException cause) {
        tell(() -> visitor.refused(cause));
    }

    /** Tells the visitor that its backend has gone: now, or after the {@code admitted} call that is under way. */
    void backendGone(String reason) {
        goneReason = reason;
        deliverGone();
    }

    private void deliverGone() {
        String reason = goneReason;
        // Both volatile: of two threads here at least one sees both, and the flag lets only one of them speak.
        if (admitted && reason != null && goneDelivered.compareAndSet(false, true)) {
            tell(() -> visitor.backendGone(reason));
        }
    }

    private void tell(Runnable call) {
        if (left.get()) {
            return;
        }
        try {
            call.run();
        } catch (RuntimeException e) {
            log.error("A visitor of the backend gate failed; its place is given up", e);
            close();
        }
    }
}

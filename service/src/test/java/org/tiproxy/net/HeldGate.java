package org.tiproxy.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.tiproxy.backend.BackendGate;

/** A gate whose visitors wait until the test decides about each. */
final class HeldGate implements BackendGate {
    private final BlockingQueue<Visitor> visitors = new LinkedBlockingQueue<>();

    /** The next visitor in the order in which they came. */
    Visitor next() throws InterruptedException {
        Visitor visitor = visitors.poll(30, TimeUnit.SECONDS);
        assertThat(visitor).isNotNull();
        return visitor;
    }

    @Override
    public Ticket enter(Visitor visitor) {
        visitors.add(visitor);
        return () -> {};
    }

    @Override
    public boolean tellsWhyBackendsGo() {
        return true;
    }
}

package org.tiproxy.supervisor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyException;

/** Remembers what it was told, and how often. */
final class RecordingVisitor implements BackendGate.Visitor {
    /** Null for admitted. */
    final CompletableFuture<ProxyException> answer = new CompletableFuture<>();

    final CompletableFuture<String> gone = new CompletableFuture<>();
    final AtomicInteger answers = new AtomicInteger();
    final AtomicInteger goneCalls = new AtomicInteger();
    volatile boolean goneBeforeAdmitted;

    @Override
    public void admitted() {
        answers.incrementAndGet();
        answer.complete(null);
    }

    @Override
    public void refused(ProxyException cause) {
        answers.incrementAndGet();
        answer.complete(cause);
    }

    @Override
    public void backendGone(String reason) {
        goneBeforeAdmitted |= answers.get() == 0;
        goneCalls.incrementAndGet();
        gone.complete(reason);
    }

    /** Waits for admission. */
    void awaitAdmitted() throws Exception {
        ProxyException cause = answer.get(60, TimeUnit.SECONDS);
        if (cause != null) {
            throw cause;
        }
    }

    /** Waits for a refusal. */
    ProxyException awaitRefused() throws Exception {
        ProxyException cause = answer.get(60, TimeUnit.SECONDS);
        if (cause == null) {
            throw new AssertionError("admitted, not refused");
        }
        return cause;
    }

    String awaitGone() throws Exception {
        return gone.get(60, TimeUnit.SECONDS);
    }
}

package org.tiproxy.pool;

/** Runs things later. The pool's only way to be woken up by time, so that tests can turn the hands. */
@FunctionalInterface
public interface Scheduler {
    /**
     * Runs {@code task} once after {@code delayNanos}, measured by the pool's ticker, on any thread but never within this
     * call. Tasks are short and do not block.
     */
    void schedule(Runnable task, long delayNanos);
}

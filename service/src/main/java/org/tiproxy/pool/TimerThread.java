package org.tiproxy.pool;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.tiproxy.common.DaemonThreads;

/** A scheduler with one daemon thread, which is started by the first task. Tasks that come after the close are dropped. */
public final class TimerThread implements Scheduler, AutoCloseable {
    private final ScheduledThreadPoolExecutor executor;

    /** A timer whose thread is called {@code name}. */
    public TimerThread(String name) {
        executor = new ScheduledThreadPoolExecutor(1, new DaemonThreads(name), new ThreadPoolExecutor.DiscardPolicy());
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public void schedule(Runnable task, long delayNanos) {
        executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    }

    /** Drops what is scheduled and ends the thread. */
    @Override
    public void close() {
        executor.shutdown();
    }
}

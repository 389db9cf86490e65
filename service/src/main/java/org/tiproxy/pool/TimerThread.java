package org.tiproxy.pool;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.tiproxy.common.DaemonThreads;

/**
 * A scheduler with one daemon thread, which is started by the first task. The close drops what is not due; what is to run
 * at once afterwards still does, on a thread of the common pool.
 */
public final class TimerThread implements Scheduler, AutoCloseable {
    private final ScheduledThreadPoolExecutor executor;

    /** A timer whose thread is called {@code name}. */
    public TimerThread(String name) {
        executor = new ScheduledThreadPoolExecutor(1, new DaemonThreads(name), new ThreadPoolExecutor.DiscardPolicy());
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public void schedule(Runnable task, long delayNanos) {
        if (delayNanos <= 0 && executor.isShutdown()) {
            // A caller may be waiting for it.
            ForkJoinPool.commonPool().execute(task);
        } else {
            executor.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
        }
    }

    /** Ends the thread, after what is due. */
    @Override
    public void close() {
        executor.execute(executor::shutdown);
    }
}

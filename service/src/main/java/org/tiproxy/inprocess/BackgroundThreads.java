package org.tiproxy.inprocess;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.tiproxy.common.DaemonThreads;

/** The threads on which all pools of the process do what blocks and no driver's thread is there for. Without work they end. */
final class BackgroundThreads {
    /** Enough for one dead backend's connections not to keep those of another waiting; what they do is short as a rule. */
    private static final int MOST = 16;

    private static final ThreadPoolExecutor THREADS = new ThreadPoolExecutor(
            MOST, MOST, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), new DaemonThreads("tiproxy-background"));

    static {
        THREADS.allowCoreThreadTimeOut(true);
    }

    private BackgroundThreads() {}

    /** Something that waits for a backend. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws IOException;
    }

    /**
     * Completes a future with what the work comes to.
     *
     * @param giveUp ends work that is under way, once somebody else has ended the future
     */
    static <T> void run(CompletableFuture<T> result, Work<T> work, Runnable giveUp) {
        result.whenComplete((value, failure) -> {
            if (failure != null) {
                giveUp.run();
            }
        });
        THREADS.execute(() -> {
            if (result.isDone()) {
                return;
            }
            try {
                result.complete(work.run());
            } catch (IOException | RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        });
    }

    /** For tests. */
    static int busy() {
        return THREADS.getActiveCount() + THREADS.getQueue().size();
    }
}

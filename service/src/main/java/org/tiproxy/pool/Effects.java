package org.tiproxy.pool;

import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was decided under the pool's lock and is to be done after it is released: calls to the factory, the scheduler and
 * the callers' futures.
 */
final class Effects {
    private static final Logger log = LoggerFactory.getLogger(Effects.class);
    /**
     * A completed future may run a caller's code, which releases, which completes the next future, and so on: deeper than
     * this the chain is continued by the scheduler, so that a long queue does not overflow the stack.
     */
    private static final int MAX_DEPTH = 16;

    private static final ThreadLocal<int[]> DEPTH = ThreadLocal.withInitial(() -> new int[1]);

    private final Scheduler scheduler;
    /** Guarded by the pool's lock. */
    private List<Runnable> decided = new ArrayList<>();

    Effects(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** Under the lock. */
    void add(Runnable effect) {
        decided.add(effect);
    }

    /** Under the lock. */
    List<Runnable> take() {
        if (decided.isEmpty()) {
            return List.of();
        }
        List<Runnable> taken = decided;
        decided = new ArrayList<>();
        return taken;
    }

    /** Without the lock. */
    void run(List<Runnable> effects) {
        if (effects.isEmpty()) {
            return;
        }
        int[] depth = DEPTH.get();
        if (depth[0] >= MAX_DEPTH) {
            scheduler.schedule(() -> run(effects), 0);
            return;
        }
        depth[0]++;
        try {
            for (Runnable effect : effects) {
                try {
                    effect.run();
                } catch (RuntimeException e) {
                    log.error("A pool could not carry out a decision; please report this", e);
                }
            }
        } finally {
            depth[0]--;
        }
    }
}

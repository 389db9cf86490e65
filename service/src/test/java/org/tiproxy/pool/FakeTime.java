package org.tiproxy.pool;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.tiproxy.common.Ticker;

/** A clock and a scheduler that move only when a test moves them; for one thread. */
final class FakeTime implements Ticker, Scheduler {
    private record Task(long when, long order, Runnable work) {}

    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparingLong(Task::when).thenComparingLong(Task::order));
    private long now;
    private long order;

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void schedule(Runnable task, long delayNanos) {
        tasks.add(new Task(now + delayNanos, order++, task));
    }

    /** Lets time pass, with everything that becomes due on the way, each at its moment. */
    void pass(Duration duration) {
        long end = now + duration.toNanos();
        while (!tasks.isEmpty() && tasks.element().when <= end) {
            Task task = tasks.remove();
            now = Math.max(now, task.when);
            task.work.run();
        }
        now = end;
    }

    int scheduled() {
        return tasks.size();
    }
}

package org.tiproxy.common;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes daemon threads with a telling name: {@code tiproxy-timer}, and {@code tiproxy-timer-2} for a second one. */
public final class DaemonThreads implements ThreadFactory {
    private final String name;
    private final AtomicInteger made = new AtomicInteger();

    /** Threads called {@code name}. */
    public DaemonThreads(String name) {
        this.name = name;
    }

    @Override
    public Thread newThread(Runnable work) {
        int number = made.incrementAndGet();
        Thread thread = new Thread(work, number == 1 ? name : name + "-" + number);
        thread.setDaemon(true);
        return thread;
    }
}

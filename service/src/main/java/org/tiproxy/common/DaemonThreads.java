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
        // Made on a thread of an application's, it shall not keep that one's class loader or thread locals alive.
        Thread thread = new Thread(null, work, number == 1 ? name : name + "-" + number, 0, false);
        thread.setContextClassLoader(DaemonThreads.class.getClassLoader());
        thread.setDaemon(true);
        return thread;
    }
}

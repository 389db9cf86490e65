package org.tiproxy.examples.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;

/**
 * An echo server that begins to listen a fixed time after its JVM began to start: the variation of a JVM's start would
 * otherwise drown the few milliseconds to be measured. Ends with SIGTERM.
 */
final class DelayedServer {
    private DelayedServer() {}

    /** Arguments: port, milliseconds. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        long readyAt = ManagementFactory.getRuntimeMXBean().getStartTime() + Long.parseLong(arguments[1]);
        Thread.sleep(Math.max(0, readyAt - System.currentTimeMillis()));
        try (EchoServer server = new EchoServer(Integer.parseInt(arguments[0]))) {
            server.run();
        }
    }
}

package org.tiproxy.pool.multiplex;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.HostPort;

/**
 * TCP connections of the JDK for multiplexing: one daemon thread reads them all. Who writes, writes to the socket itself;
 * what does not fit is sent by the thread later.
 */
public final class SelectorLoop implements Connector, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SelectorLoop.class);
    private static final int BUFFER_SIZE = 64 * 1024;

    private final Selector selector;
    private final Thread thread;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final ExecutorService connectors =
            Executors.newCachedThreadPool(new DaemonThreads("tiproxy-multiplex-connect"));
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);
    private volatile boolean closed;

    /** Starts the thread. */
    public SelectorLoop() {
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        thread = new DaemonThreads("tiproxy-multiplex").newThread(this::run);
        thread.start();
    }

    @Override
    public CompletableFuture<Transport> connect(HostPort address, Duration timeout) {
        CompletableFuture<Transport> future = new CompletableFuture<>();
        connectors.execute(() -> {
            try {
                SocketTransport transport = new SocketTransport(this, open(address, timeout));
                if (!future.complete(transport)) {
                    transport.close();
                }
            } catch (IOException | RuntimeException e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    private static SocketChannel open(HostPort address, Duration timeout) throws IOException {
        InetSocketAddress resolved = address.resolve();
        if (resolved.isUnresolved()) {
            throw new UnknownHostException("unknown host " + address.host());
        }
        SocketChannel channel = SocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.socket().connect(resolved, (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis())));
            channel.configureBlocking(false);
            return channel;
        } catch (SocketTimeoutException e) {
            channel.close();
            throw new SocketTimeoutException("no connection to " + address + " within " + timeout.toMillis() + " ms");
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Closes all connections and ends the thread. */
    @Override
    public void close() {
        closed = true;
        connectors.shutdown();
        selector.wakeup();
    }

    /** Runs {@code task} on the thread. */
    void execute(Runnable task) {
        tasks.add(task);
        if (Thread.currentThread() != thread) {
            selector.wakeup();
        }
    }

    Selector selector() {
        return selector;
    }

    /** Of the thread only. */
    ByteBuffer buffer() {
        return buffer.clear();
    }

    private void run() {
        while (!closed) {
            try {
                selector.select();
            } catch (IOException e) {
                log.error("The selector of multiplexed connections failed; they are closed", e);
                break;
            }
            runTasks();
            for (SelectionKey key : selector.selectedKeys()) {
                serve(key);
            }
            selector.selectedKeys().clear();
        }
        closed = true;
        for (SelectionKey key : new ArrayList<>(selector.keys())) {
            ((SocketTransport) key.attachment()).closeNow(null);
        }
        runTasks();
        try {
            selector.close();
        } catch (IOException e) {
            log.debug("The selector could not be closed", e);
        }
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private static void serve(SelectionKey key) {
        SocketTransport transport = (SocketTransport) key.attachment();
        try {
            transport.ready(key.readyOps());
        } catch (CancelledKeyException e) {
            transport.closeNow(e);
        } catch (RuntimeException e) {
            log.error("A multiplexed connection failed", e);
            transport.closeNow(e);
        }
    }

    boolean isClosed() {
        return closed;
    }
}

package org.tiproxy.pool;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.HostPort;

/**
 * Opens {@link SocketConnection}s. Connecting and probing block a daemon thread each; idle connections are looked at every
 * {@link #WATCH_PERIOD}, and once more before they are lent, so that one that was closed by its peer is not handed out.
 * Close the factory after the pools that use it.
 */
public final class SocketConnectionFactory implements ConnectionFactory<SocketConnection>, AutoCloseable {
    /** How often idle connections are looked at. */
    public static final Duration WATCH_PERIOD = Duration.ofMillis(250);

    /** Asks a peer over a connection that nobody else uses. May block. */
    @FunctionalInterface
    public interface Probe {
        /**
         * True if the connection works, with nothing unread left in it. Reads wait no longer than the probe's time-out.
         *
         * @throws IOException the same as false
         */
        boolean works(SocketConnection connection) throws IOException;
    }

    private final Probe probe;
    private final ExecutorService workers = Executors.newCachedThreadPool(new DaemonThreads("tiproxy-pool-connect"));
    private final ScheduledExecutorService watcher =
            Executors.newSingleThreadScheduledExecutor(new DaemonThreads("tiproxy-pool-watch"));
    private final Set<SocketConnection> idle = ConcurrentHashMap.newKeySet();

    /** Without a question that any protocol would answer, only the connection's own state is looked at. */
    public SocketConnectionFactory() {
        this(connection -> true);
    }

    /** Probes by the given question, such as Redis' {@code PING}. */
    public SocketConnectionFactory(Probe probe) {
        this.probe = probe;
        watcher.scheduleWithFixedDelay(
                () -> idle.forEach(SocketConnection::inspect),
                WATCH_PERIOD.toMillis(),
                WATCH_PERIOD.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    @Override
    public CompletableFuture<SocketConnection> connect(HostPort address, Duration timeout) {
        CompletableFuture<SocketConnection> future = new CompletableFuture<>();
        workers.execute(() -> {
            try {
                SocketConnection connection = open(address, timeout, future);
                if (!future.complete(connection)) {
                    connection.close();
                }
            } catch (IOException | RuntimeException e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    private static SocketConnection open(HostPort address, Duration timeout, CompletableFuture<?> wanted)
            throws IOException {
        InetSocketAddress resolved = address.resolve();
        if (resolved.isUnresolved()) {
            throw new UnknownHostException("unknown host " + address.host());
        }
        SocketChannel channel = SocketChannel.open();
        try {
            // Cancelled: ends a connect that still waits.
            wanted.whenComplete((connection, failure) -> {
                if (failure != null) {
                    closeQuietly(channel);
                }
            });
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            channel.socket().connect(resolved, millis(timeout));
            return new SocketConnection(channel);
        } catch (IOException | RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    @Override
    public CompletableFuture<Boolean> probe(SocketConnection connection, Duration timeout) {
        CompletableFuture<Boolean> future = new CompletableFuture<>();
        workers.execute(() -> {
            try {
                connection.setReadTimeout(millis(timeout));
                boolean works = probe.works(connection);
                connection.setReadTimeout(0);
                future.complete(works);
            } catch (SocketTimeoutException e) {
                future.complete(false);
            } catch (IOException | RuntimeException e) {
                future.completeExceptionally(e);
            }
        });
        return future;
    }

    @Override
    public void idle(SocketConnection connection, IdleListener listener) {
        connection.watch(listener);
        idle.add(connection);
    }

    @Override
    public boolean reuse(SocketConnection connection) {
        idle.remove(connection);
        return connection.endWatch();
    }

    @Override
    public void close(SocketConnection connection) {
        idle.remove(connection);
        connection.close();
    }

    /** Ends the threads; connections stay as they are. */
    @Override
    public void close() {
        watcher.shutdownNow();
        workers.shutdown();
    }

    private static int millis(Duration timeout) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing more can be done about it.
            return;
        }
    }
}

package org.tiproxy.session;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * Sessions over a pool of one backend connection, for tests: each session is driven by one thread, which also opens and
 * cleans the connection. The pool keeps whatever is clean, whoever has used it.
 */
final class PooledProxy implements AutoCloseable {
    final AtomicInteger opened = new AtomicInteger();
    final AtomicInteger reused = new AtomicInteger();
    final List<BackendRelease> releases = new CopyOnWriteArrayList<>();
    final List<SessionEnd> ends = new CopyOnWriteArrayList<>();

    private final PooledConfig config;
    private final SocketAddress backend;
    private final boolean clientsArePrivate;
    private final ServerSocketChannel listener;
    private final Object lock = new Object();
    private final List<Driver> drivers = new CopyOnWriteArrayList<>();
    private boolean lent;
    private @Nullable BlockingBackend idle;
    private @Nullable HandshakeV10 remembered;

    PooledProxy(@Nullable UserStore users, SocketAddress backend, boolean clientsArePrivate) throws IOException {
        this.config = new PooledConfig(Packets.plain(), users, new SecureRandom());
        this.backend = backend;
        this.clientsArePrivate = clientsArePrivate;
        this.listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        start(this::accept);
    }

    int port() {
        return listener.socket().getLocalPort();
    }

    /** Closes the idle connection: the next one is new. */
    void evict() throws IOException, InterruptedException {
        synchronized (lock) {
            awaitReturn();
            BlockingBackend current = idle;
            idle = null;
            if (current != null) {
                current.close();
            }
        }
    }

    /** Waits until the connection is back. */
    void awaitReturn() throws InterruptedException {
        synchronized (lock) {
            while (lent) {
                lock.wait();
            }
        }
    }

    /** The thread id of the idle connection at the backend; 0 if there is none. */
    long idleThreadId() throws InterruptedException {
        synchronized (lock) {
            awaitReturn();
            return idle == null ? 0 : idle.info.threadId();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        drivers.forEach(Driver::stop);
        try {
            evict();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel client = listener.accept();
                start(() -> new Driver(client).run());
            }
        } catch (ClosedChannelException e) {
            // The end.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "pooled-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private HandshakeV10 greeting() throws IOException {
        synchronized (lock) {
            HandshakeV10 known = remembered;
            if (known == null) {
                BackendRequest none = new BackendRequest(new PoolKey("", 0, 0), "", null, false);
                try (BlockingBackend probe = new BlockingBackend(backend, none)) {
                    known = probe.info.greeting();
                }
                remembered = known;
            }
            return known;
        }
    }

    private BlockingBackend acquire(BackendRequest request) throws IOException, InterruptedException {
        BlockingBackend found;
        synchronized (lock) {
            awaitReturn();
            lent = true;
            found = idle;
            idle = null;
        }
        try {
            // Other users' connections will do: they are cleaned by a change of user.
            boolean fits = found != null && !request.fresh() && request.key().capabilities() == found.openedFor;
            if (found != null && !fits) {
                found.close();
            }
            if (found == null || !fits) {
                opened.incrementAndGet();
                found = new BlockingBackend(backend, request);
            } else {
                reused.incrementAndGet();
            }
            found.prepare(request);
            return found;
        } catch (IOException | RuntimeException e) {
            giveBack(found != null && found.channel.isOpen() ? found : null);
            throw e;
        }
    }

    private void giveBack(@Nullable BlockingBackend connection) {
        synchronized (lock) {
            lent = false;
            idle = connection;
            lock.notifyAll();
        }
    }

    /** One session on one thread. */
    private final class Driver implements SessionOutput {
        private final SocketChannel client;
        private final PooledSessionEngine engine;
        private ByteBuffer kept = ByteBuffer.allocate(64 * 1024).limit(0);
        private ByteBuffer chunk = kept;
        private boolean paused;
        private volatile @Nullable Selector selector;
        private volatile boolean stopped;
        private @Nullable BackendRequest wanted;
        private @Nullable BackendRequest served;
        private @Nullable BlockingBackend connection;
        private @Nullable SessionEnd end;

        Driver(SocketChannel client) {
            this.client = client;
            this.engine = new PooledSessionEngine(
                    config,
                    this,
                    SessionListener.NONE,
                    id -> 0,
                    0x4000_0001,
                    () -> new ClientOrigin("127.0.0.1", clientsArePrivate));
        }

        void stop() {
            stopped = true;
            Selector current = selector;
            if (current != null) {
                current.wakeup();
            }
        }

        void run() {
            drivers.add(this);
            try (Selector opened = Selector.open()) {
                selector = opened;
                client.configureBlocking(false);
                SelectionKey clientKey = client.register(opened, SelectionKey.OP_READ);
                engine.greet(greeting());
                ByteBuffer fromBackend = ByteBuffer.allocate(16 * 1024);
                while (end == null) {
                    serveRequest(opened);
                    if (stopped) {
                        engine.clientClosed("the test is over");
                    }
                    if (end != null) {
                        break;
                    }
                    clientKey.interestOps(paused ? 0 : SelectionKey.OP_READ);
                    opened.select();
                    opened.selectedKeys().clear();
                    readClient();
                    readBackend(fromBackend);
                }
            } catch (IOException | InterruptedException e) {
                engine.clientClosed(e.toString());
            } finally {
                closeClient();
            }
        }

        private void readClient() throws IOException {
            if (paused || end != null) {
                return;
            }
            kept.compact();
            int count = client.read(kept);
            kept.flip();
            if (count < 0) {
                engine.clientClosed("end of stream");
            } else {
                offerKept();
            }
        }

        private void offerKept() {
            while (kept.hasRemaining() && !paused && end == null) {
                chunk = kept;
                engine.clientBytes(kept);
            }
        }

        private void readBackend(ByteBuffer bytes) throws IOException {
            BlockingBackend current = connection;
            if (current == null || end != null) {
                return;
            }
            bytes.clear();
            int count = current.channel.read(bytes);
            if (count < 0) {
                engine.backendClosed("end of stream");
            } else if (count > 0) {
                chunk = bytes.flip();
                engine.backendBytes(bytes);
            }
            offerKept();
        }

        private void serveRequest(Selector keys) throws InterruptedException {
            while (wanted != null && end == null) {
                BackendRequest request = wanted;
                wanted = null;
                try {
                    BlockingBackend acquired = acquire(request);
                    connection = acquired;
                    served = request;
                    acquired.channel.configureBlocking(false);
                    acquired.channel.register(keys, SelectionKey.OP_READ);
                    engine.backendAcquired(acquired.info);
                } catch (BlockingBackend.RefusedException e) {
                    engine.backendRefused(e.err());
                } catch (IOException e) {
                    engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, e.toString()));
                }
                offerKept();
            }
        }

        @Override
        public void forwardToBackend(int from, int to) {
            requireNonNull(connection).write(chunk.duplicate().limit(to).position(from));
        }

        @Override
        public void forwardToClient(int from, int to) {
            sendToClient(chunk.duplicate().limit(to).position(from));
        }

        @Override
        public void sendToBackend(ByteBuffer bytes) {
            requireNonNull(connection).write(bytes);
        }

        @Override
        public void sendToClient(ByteBuffer bytes) {
            try {
                while (bytes.hasRemaining()) {
                    client.write(bytes);
                }
            } catch (IOException e) {
                // The end is noticed when it is read.
            }
        }

        @Override
        public void startClientTls() {
            throw new AssertionError("no TLS here");
        }

        @Override
        public void startBackendTls() {
            throw new AssertionError("not asked for by this engine");
        }

        @Override
        public void pauseClient() {
            paused = true;
        }

        @Override
        public void resumeClient() {
            paused = false;
        }

        @Override
        public void acquireBackend(BackendRequest request) {
            wanted = request;
        }

        @Override
        public void releaseBackend(BackendRelease release) {
            releases.add(release);
            BlockingBackend current = requireNonNull(connection);
            connection = null;
            boolean clean = false;
            try {
                Selector keys = requireNonNull(selector);
                SelectionKey key = current.channel.keyFor(keys);
                if (key != null) {
                    key.cancel();
                    keys.selectNow();
                }
                current.info = release.info();
                clean = current.clean(release, requireNonNull(served));
            } catch (IOException e) {
                // It is closed then.
            } finally {
                giveBack(clean ? current : null);
            }
        }

        @Override
        public void end(SessionEnd sessionEnd) {
            end = sessionEnd;
            ends.add(sessionEnd);
            closeClient();
        }

        private void closeClient() {
            try {
                client.close();
            } catch (IOException e) {
                // It is closed then.
            }
        }
    }
}

package org.tiproxy.inprocess;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.TimerThread;
import org.tiproxy.session.EngineHarness;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SocketPeer;

/**
 * A session whose client is a driver of this process, which reads on a thread of its own, and whose backend is a socket.
 */
final class InProcessHarness implements EngineHarness {
    private static final long OTHER_SESSION = 4711;

    private final ServerSocket listening;
    private final TimerThread timer = new TimerThread("test-housekeeping");
    private final InProcessProxy proxy;
    private final CompletableFuture<InProcessSession> opening;
    private final DriverPeer client = new DriverPeer();
    private SocketPeer backend;

    InProcessHarness(Path keyStore) throws Exception {
        listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        PoolConfig pooling = PoolConfig.builder()
                .probeBypass(Duration.ofHours(1))
                .connectTimeout(Duration.ofMinutes(1))
                .probeTimeout(Duration.ofMinutes(1))
                .keepAlive(Duration.ZERO)
                .build();
        proxy = new InProcessProxy(pooling, List::of, Ticker.SYSTEM, timer, PoolListener.NONE, false);
        proxy.sessions().add(new OtherSession());
        HostPort address = new HostPort("127.0.0.1", listening.getLocalPort());
        opening = CompletableFuture.supplyAsync(() -> {
            try {
                return (InProcessSession) proxy.open(
                        new DriverLogin(address, "root", new Secret(""), BackendTls.DISABLED, Duration.ZERO));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        Socket accepted = listening.accept();
        backend = SocketPeer.of(accepted, false, keyStore);
    }

    private InProcessSession session() {
        return opening.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Override
    public int connectionId() {
        return InProcessProxy.virtualId(session().id());
    }

    @Override
    public long otherVirtualId() {
        return InProcessProxy.virtualId(OTHER_SESSION);
    }

    @Override
    public Peer client() {
        return client;
    }

    @Override
    public Peer backend() {
        return backend;
    }

    @Override
    public void refuseBackend(ProxyException cause) {
        throw new UnsupportedOperationException("found out by open()");
    }

    @Override
    public SessionActions actions() {
        return new SessionActions() {
            @Override
            public void kill(ProxyException cause) {
                session().close(cause.error(), String.valueOf(cause.getMessage()));
            }

            @Override
            public void drain() {
                session().drain();
            }

            @Override
            public void loginTimedOut() {
                throw new UnsupportedOperationException("a driver's own matter");
            }
        };
    }

    @Override
    public SessionEnd end() {
        return Awaitility.await().until(() -> session().end(), end -> end != null);
    }

    @Override
    public void close() {
        // Before the session, which would wait for its answers to the cleaning.
        backend.close();
        session().close();
        proxy.close();
        timer.close();
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads all the time, as a driver that waits for an answer does. */
    private final class DriverPeer implements Peer {
        private final ByteArrayOutputStream received = new ByteArrayOutputStream();
        private boolean started;
        private boolean over;

        private synchronized void start() {
            if (started) {
                return;
            }
            started = true;
            Thread reader = new Thread(this::readAll, "driver");
            reader.setDaemon(true);
            reader.start();
        }

        private void readAll() {
            byte[] buffer = new byte[8192];
            try {
                int count = session().read(buffer, 0, buffer.length, 0);
                while (count >= 0) {
                    add(buffer, count);
                    count = session().read(buffer, 0, buffer.length, 0);
                }
            } catch (IOException e) {
                // The same as an end, to this peer.
                over();
                return;
            }
            over();
        }

        private synchronized void add(byte[] buffer, int count) {
            received.write(buffer, 0, count);
            notifyAll();
        }

        private synchronized void over() {
            over = true;
            notifyAll();
        }

        @Override
        public void send(byte[]... parts) {
            try {
                for (byte[] part : parts) {
                    session().write(part, 0, part.length);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public synchronized byte[] receive(int length) {
            start();
            try {
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (received.size() < length && !over && System.nanoTime() < deadline) {
                    wait(1000);
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            byte[] all = received.toByteArray();
            if (all.length < length) {
                throw new AssertionError("found " + all.length + " of " + length + " bytes");
            }
            received.reset();
            received.write(all, length, all.length - length);
            return Arrays.copyOf(all, length);
        }

        @Override
        public byte[] receiveRest() {
            return receive(received.size());
        }

        @Override
        public void startTls() {
            throw new UnsupportedOperationException("there is none within a process");
        }

        @Override
        public void close() {
            session().close();
        }

        @Override
        public synchronized void expectClosed() {
            start();
            try {
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (!over && System.nanoTime() < deadline) {
                    wait(1000);
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            if (!over || received.size() > 0) {
                throw new AssertionError("not closed, or " + received.size() + " bytes in place of the end");
            }
        }
    }

    /** The one other session of the proxy. */
    private static final class OtherSession implements ProxySession {
        @Override
        public long id() {
            return OTHER_SESSION;
        }

        @Override
        public HostPort client() {
            return new HostPort("localhost", 0);
        }

        @Override
        public HostPort backend() {
            return new HostPort("127.0.0.1", 1);
        }

        @Override
        public long backendConnectionId() {
            return OTHER_BACKEND_ID;
        }

        @Override
        public Instant since() {
            return Instant.EPOCH;
        }

        @Override
        public long bytesReceived() {
            return 0;
        }

        @Override
        public long bytesSent() {
            return 0;
        }

        @Override
        public void close(ProxyError cause, String reason) {}
    }
}

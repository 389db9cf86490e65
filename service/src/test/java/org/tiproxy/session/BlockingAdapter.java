package org.tiproxy.session;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * A session over blocking sockets, for tests: one thread per leg and one lock. It shows that the engine does not care who
 * calls it; it is too simple for more than that (a slow peer holds the lock).
 */
final class BlockingAdapter implements SessionOutput {
    private static final int BUFFER = 16 * 1024;

    private final SessionEngine engine;
    private final SessionConfig config;
    private final @Nullable Tls tls;
    private final byte[] clientBuffer = new byte[BUFFER];
    private final byte[] backendBuffer = new byte[BUFFER];
    private Socket client;
    private @Nullable Socket backend;
    private byte[] chunk = clientBuffer;
    private boolean clientPaused;
    private @Nullable SessionEnd end;

    /** One context with a certificate and one without. */
    record Tls(SSLContext asServer, SSLContext asClient) {}

    BlockingAdapter(
            Socket client, SessionConfig config, SessionListener listener, ConnectionIds ids, @Nullable Tls tls) {
        this.client = client;
        this.config = config;
        this.tls = tls;
        this.engine = new SessionEngine(config, this, listener, ids, EngineHarness.CONNECTION_ID);
    }

    void start(InetSocketAddress backendAddress) {
        startThread("client", this::readClient);
        startThread("backend", () -> readBackend(backendAddress));
    }

    synchronized void run(Runnable event) {
        event.run();
        notifyAll();
    }

    SessionEngine engine() {
        return engine;
    }

    synchronized SessionEnd awaitEnd() throws InterruptedException {
        while (end == null) {
            wait(10_000);
        }
        return end;
    }

    private void readClient() {
        int length = 0;
        try {
            while (true) {
                synchronized (this) {
                    while (clientPaused && end == null) {
                        wait();
                    }
                    if (end != null) {
                        return;
                    }
                }
                // What was kept, while paused, is offered again before anything else is read.
                int count = length > 0 ? 0 : client.getInputStream().read(clientBuffer, length, BUFFER - length);
                if (count < 0) {
                    run(() -> engine.clientClosed("end of stream"));
                    return;
                }
                length += count;
                ByteBuffer bytes = ByteBuffer.wrap(clientBuffer, 0, length);
                boolean startTls;
                synchronized (this) {
                    chunk = clientBuffer;
                    engine.clientBytes(bytes);
                    notifyAll();
                    startTls = engine.phase() == SessionPhase.CLIENT_TLS;
                }
                length = bytes.remaining();
                System.arraycopy(clientBuffer, bytes.position(), clientBuffer, 0, length);
                if (startTls && tls != null) {
                    InputStream consumed = new ByteArrayInputStream(Arrays.copyOf(clientBuffer, length));
                    SSLSocket socket =
                            (SSLSocket) tls.asServer().getSocketFactory().createSocket(client, consumed, true);
                    socket.setUseClientMode(false);
                    socket.startHandshake();
                    length = 0;
                    client = socket;
                    run(engine::clientTlsStarted);
                }
            }
        } catch (IOException | InterruptedException e) {
            run(() -> engine.clientClosed(e.toString()));
        }
    }

    private void readBackend(InetSocketAddress address) {
        try (Socket socket = new Socket()) {
            try {
                socket.connect(address, 5000);
            } catch (IOException e) {
                run(() -> engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, e.toString())));
                return;
            }
            synchronized (this) {
                backend = socket;
                engine.backendConnected();
            }
            while (true) {
                int count = current().getInputStream().read(backendBuffer);
                if (count < 0) {
                    run(() -> engine.backendClosed("end of stream"));
                    return;
                }
                synchronized (this) {
                    if (end != null) {
                        return;
                    }
                    chunk = backendBuffer;
                    engine.backendBytes(ByteBuffer.wrap(backendBuffer, 0, count));
                    notifyAll();
                }
            }
        } catch (IOException | InterruptedException e) {
            run(() -> engine.backendClosed(e.toString()));
        }
    }

    /** The socket to read next: a plain read must not take what belongs to TLS. */
    private Socket current() throws IOException, InterruptedException {
        Socket socket;
        boolean startTls;
        synchronized (this) {
            while (config.backendTls() != TlsMode.DISABLED
                    && (engine.phase() == SessionPhase.HANDSHAKE || engine.phase() == SessionPhase.CLIENT_TLS)) {
                wait();
            }
            startTls = engine.phase() == SessionPhase.BACKEND_TLS;
            socket = Objects.requireNonNull(backend);
        }
        if (startTls && tls != null) {
            SSLSocket secure = (SSLSocket)
                    tls.asClient().getSocketFactory().createSocket(socket, "localhost", socket.getPort(), true);
            secure.startHandshake();
            synchronized (this) {
                backend = secure;
                engine.backendTlsStarted();
                notifyAll();
            }
            return secure;
        }
        return socket;
    }

    @Override
    public void forwardToBackend(int from, int to) {
        write(backend, chunk, from, to - from);
    }

    @Override
    public void forwardToClient(int from, int to) {
        write(client, chunk, from, to - from);
    }

    @Override
    public void sendToBackend(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        write(backend, copy, 0, copy.length);
    }

    @Override
    public void sendToClient(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        write(client, copy, 0, copy.length);
    }

    @Override
    public void startClientTls() {}

    @Override
    public void startBackendTls() {}

    @Override
    public void pauseClient() {
        clientPaused = true;
    }

    @Override
    public void resumeClient() {
        clientPaused = false;
    }

    @Override
    public void end(SessionEnd sessionEnd) {
        end = sessionEnd;
        close(client);
        close(backend);
    }

    private static void write(@Nullable Socket socket, byte[] bytes, int offset, int length) {
        if (socket == null) {
            return;
        }
        try {
            OutputStream out = socket.getOutputStream();
            out.write(bytes, offset, length);
            out.flush();
        } catch (IOException e) {
            // The thread that reads this socket finds out.
        }
    }

    private static void close(@Nullable Socket socket) {
        if (socket == null) {
            return;
        }
        try {
            if (!(socket instanceof SSLSocket)) {
                socket.shutdownOutput();
            }
            socket.close();
        } catch (IOException e) {
            // Closed already.
        }
    }

    private static void startThread(String name, Runnable task) {
        Thread thread = new Thread(task, "session-test-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}

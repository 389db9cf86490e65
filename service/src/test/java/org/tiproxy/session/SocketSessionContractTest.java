package org.tiproxy.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.error.ProxyException;

/** The contract over blocking sockets and two threads. */
class SocketSessionContractTest extends SessionContractTest {
    private static BlockingAdapter.@Nullable Tls tls;

    @BeforeAll
    static void makeCertificate(@TempDir Path directory) throws Exception {
        Path keyStore = directory.resolve("keys.p12");
        String[] keytool = {
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "proxy",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-dname",
            "CN=localhost",
            "-storetype",
            "PKCS12",
            "-storepass",
            "changeit",
            "-keystore",
            keyStore.toString()
        };
        Process process = new ProcessBuilder(keytool).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(output);
        }
        tls = BlockingProxy.context(keyStore);
    }

    @Override
    protected EngineHarness open(SessionConfig config) {
        try {
            return new SocketHarness(config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class SocketHarness implements EngineHarness {
        private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final ServerSocket backendListener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final BlockingAdapter adapter;
        private final SocketPeer client;
        private @Nullable SocketPeer backend;

        SocketHarness(SessionConfig config) throws IOException {
            client = new SocketPeer(new Socket(listener.getInetAddress(), listener.getLocalPort()), true);
            Socket accepted = listener.accept();
            ConnectionIds ids = id -> id == OTHER_VIRTUAL_ID ? OTHER_BACKEND_ID : 0;
            adapter = new BlockingAdapter(accepted, config, SessionListener.NONE, ids, tls);
        }

        @Override
        public Peer client() {
            return client;
        }

        @Override
        public Peer backend() {
            if (backend == null) {
                adapter.start((InetSocketAddress) backendListener.getLocalSocketAddress());
                try {
                    backend = new SocketPeer(backendListener.accept(), false);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return backend;
        }

        @Override
        public void refuseBackend(ProxyException cause) {
            adapter.run(() -> adapter.engine().backendFailed(cause));
        }

        @Override
        public SessionActions actions() {
            return new SessionActions() {
                @Override
                public void kill(ProxyException cause) {
                    adapter.run(() -> adapter.engine().kill(cause));
                }

                @Override
                public void drain() {
                    adapter.run(adapter.engine()::drain);
                }

                @Override
                public void loginTimedOut() {
                    adapter.run(adapter.engine()::loginTimedOut);
                }
            };
        }

        @Override
        public SessionEnd end() {
            try {
                return adapter.awaitEnd();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            client.close();
            if (backend != null) {
                backend.close();
            }
            try {
                listener.close();
                backendListener.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class SocketPeer implements EngineHarness.Peer {
        private static final int TIMEOUT = 20_000;

        private final boolean isClient;
        private Socket socket;

        SocketPeer(Socket socket, boolean isClient) throws IOException {
            this.socket = socket;
            this.isClient = isClient;
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(TIMEOUT);
        }

        @Override
        public void send(byte[]... parts) {
            try {
                for (byte[] part : parts) {
                    socket.getOutputStream().write(part);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public byte[] receive(int length) {
            try {
                byte[] bytes = socket.getInputStream().readNBytes(length);
                if (bytes.length < length) {
                    throw new AssertionError("closed after " + bytes.length + " of " + length + " bytes");
                }
                return bytes;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public byte[] receiveRest() {
            try {
                return socket.getInputStream().readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void startTls() {
            BlockingAdapter.Tls contexts = tls;
            if (contexts == null) {
                throw new IllegalStateException("no certificate");
            }
            // The client of the proxy is TLS client, its backend is TLS server.
            SSLContext context = isClient ? contexts.asClient() : contexts.asServer();
            try {
                SSLSocket secure = (SSLSocket)
                        context.getSocketFactory().createSocket(socket, "localhost", socket.getPort(), true);
                secure.setUseClientMode(isClient);
                secure.startHandshake();
                socket = secure;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void expectClosed() {
            try {
                if (socket.getInputStream().read() >= 0) {
                    throw new AssertionError("found a byte in place of the end");
                }
            } catch (IOException e) {
                // A reset is a close, too.
            }
        }
    }
}

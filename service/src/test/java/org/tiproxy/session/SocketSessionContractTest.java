package org.tiproxy.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.error.ProxyException;

/** The contract over blocking sockets and two threads. */
class SocketSessionContractTest extends SessionContractTest {
    private static BlockingAdapter.@Nullable Tls tls;

    @BeforeAll
    static void makeCertificate(@TempDir Path directory) throws Exception {
        tls = BlockingProxy.context(TestCertificate.create(directory));
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
            client = new SocketPeer(new Socket(listener.getInetAddress(), listener.getLocalPort()), true, tls);
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
                    backend = new SocketPeer(backendListener.accept(), false, tls);
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
}

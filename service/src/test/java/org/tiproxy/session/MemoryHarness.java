package org.tiproxy.session;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.tiproxy.error.ProxyException;

/** The contract's harness without sockets. */
final class MemoryHarness implements EngineHarness {
    final MemoryAdapter adapter;
    private final MemoryPeer client = new MemoryPeer(true);
    private final MemoryPeer backend = new MemoryPeer(false);
    private boolean connected;

    MemoryHarness(SessionConfig config, IntUnaryOperator chunkSizes) {
        adapter = new MemoryAdapter(config, chunkSizes);
    }

    MemoryHarness(SessionConfig config) {
        this(config, available -> available);
    }

    SessionEngine engine() {
        return adapter.engine;
    }

    @Override
    public Peer client() {
        return client;
    }

    @Override
    public Peer backend() {
        if (!connected) {
            connected = true;
            adapter.event(adapter.engine::backendConnected);
        }
        return backend;
    }

    @Override
    public void refuseBackend(ProxyException cause) {
        adapter.event(() -> adapter.engine.backendFailed(cause));
    }

    @Override
    public SessionActions actions() {
        return new SessionActions() {
            @Override
            public void kill(ProxyException cause) {
                adapter.event(() -> adapter.engine.kill(cause));
            }

            @Override
            public void drain() {
                adapter.event(adapter.engine::drain);
            }

            @Override
            public void loginTimedOut() {
                adapter.event(adapter.engine::loginTimedOut);
            }
        };
    }

    @Override
    public SessionEnd end() {
        SessionEnd end = adapter.end;
        if (end == null) {
            throw new AssertionError("the session is not over: " + adapter.engine.phase());
        }
        return end;
    }

    @Override
    public void close() {}

    private final class MemoryPeer implements Peer {
        private final boolean isClient;
        private int received;

        MemoryPeer(boolean isClient) {
            this.isClient = isClient;
        }

        @Override
        public void send(byte[]... parts) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (byte[] part : parts) {
                all.writeBytes(part);
            }
            if (isClient) {
                adapter.fromClient(all.toByteArray());
            } else {
                adapter.fromBackend(all.toByteArray());
            }
        }

        @Override
        public byte[] receive(int length) {
            byte[] all = all();
            if (all.length < received + length) {
                throw new AssertionError("only " + (all.length - received) + " of " + length + " bytes have come");
            }
            byte[] part = Arrays.copyOfRange(all, received, received + length);
            received += length;
            return part;
        }

        @Override
        public byte[] receiveRest() {
            byte[] all = all();
            byte[] part = Arrays.copyOfRange(all, received, all.length);
            received = all.length;
            return part;
        }

        @Override
        public void startTls() {
            if (!(isClient ? adapter.clientTlsAsked : adapter.backendTlsAsked)) {
                throw new AssertionError("the proxy has not been asked for TLS, or has not asked for it");
            }
            adapter.event(isClient ? adapter.engine::clientTlsStarted : adapter.engine::backendTlsStarted);
        }

        @Override
        public void close() {
            if (isClient) {
                adapter.event(() -> adapter.engine.clientClosed("closed by the peer"));
            } else {
                adapter.event(() -> adapter.engine.backendClosed("closed by the peer"));
            }
        }

        @Override
        public void expectClosed() {
            end();
        }

        private byte[] all() {
            return (isClient ? adapter.toClient : adapter.toBackend).toByteArray();
        }
    }
}

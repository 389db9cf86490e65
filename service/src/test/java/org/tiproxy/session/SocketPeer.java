package org.tiproxy.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** A peer with a blocking socket. */
public final class SocketPeer implements EngineHarness.Peer {
    private static final int TIMEOUT = 20_000;

    private final boolean isClient;
    private final BlockingAdapter.@Nullable Tls tls;
    private Socket socket;

    SocketPeer(Socket socket, boolean isClient, BlockingAdapter.@Nullable Tls tls) throws IOException {
        this.tls = tls;
        this.socket = socket;
        this.isClient = isClient;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT);
    }

    /**
     * A peer of a session.
     *
     * @param keyStore what {@link TestCertificate} has made
     */
    public static SocketPeer of(Socket socket, boolean isClient, Path keyStore) throws Exception {
        return new SocketPeer(socket, isClient, BlockingProxy.context(keyStore));
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
            SSLSocket secure =
                    (SSLSocket) context.getSocketFactory().createSocket(socket, "localhost", socket.getPort(), true);
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

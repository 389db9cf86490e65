package org.tiproxy.net;

import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;

/** What an operator sees of every session, whatever it speaks. */
abstract class ClientSession implements ProxySession {
    final ProxyListener proxy;
    final long id;
    final Traffic traffic;

    /** Where the client comes from: what a PROXY header says, else its socket. Written by the event loop, read by anybody. */
    volatile HostPort clientAddress;

    /** Written by the event loop, read by anybody. */
    volatile @Nullable HostPort backendAddress;

    private final SocketChannel clientChannel;
    private final Instant since = Instant.now();

    /** What a PROXY header said. */
    private @Nullable ProxiedConnection proxied;

    private volatile String ended = "";

    ClientSession(ProxyListener proxy, SocketChannel client) {
        this.proxy = proxy;
        this.id = proxy.sessions().nextId();
        this.traffic = new Traffic(proxy.sessions());
        this.clientChannel = client;
        InetSocketAddress remote = client.remoteAddress();
        // Null when the client has left between the accept and now.
        this.clientAddress = remote == null ? new HostPort("", 0) : HostPort.of(remote);
    }

    /** Lists the session, whose client's channel is registered and not reading yet. */
    abstract void begin();

    /** Asks for the backend: who the client is is known now. */
    abstract void enter();

    /** Does {@link #begin} and {@link #enter}, with a PROXY header in between if the client's address is one for that. */
    final void run() {
        begin();
        if (!proxy.proxyProtocol().isExpectedFrom(clientChannel.remoteAddress())) {
            enter();
            return;
        }
        HostPort peer = clientAddress;
        ProxyHeaderReader.install(
                clientChannel.pipeline(), proxy.loginLimits().timeout(), new ProxyHeaderReader.Recipient() {
                    @Override
                    public void headerRead(@Nullable ProxiedConnection connection) {
                        if (connection != null) {
                            proxied = connection;
                            clientAddress = HostPort.of(connection.source());
                        }
                        enter();
                    }

                    @Override
                    public void headerFailed(String text) {
                        String message = text + "; connections from " + peer.host()
                                + " must begin with one (proxy.proxy-protocol-networks)";
                        proxy.badProxyHeader(peer, message);
                        close(ProxyError.BAD_PROXY_HEADER, message);
                    }
                });
    }

    /** What a connection to the backend begins with, if anything: call it before anything else is written. */
    final void introduce(SocketChannel backend) {
        if (proxy.proxyProtocol().towardsBackend() == ProxyProtocolConfig.Version.V2) {
            ProxyHeaderWriter.write(backend, proxied == null ? socketsConnection() : proxied);
        }
    }

    private @Nullable ProxiedConnection socketsConnection() {
        InetSocketAddress source = clientChannel.remoteAddress();
        InetSocketAddress destination = clientChannel.localAddress();
        return source == null || destination == null ? null : new ProxiedConnection(source, destination);
    }

    /** The session is over. */
    final void ended(ErrorSource source, String reason, String text) {
        ended = source + " (" + reason + "): " + text;
    }

    @Override
    public String ended() {
        return ended;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public HostPort client() {
        return clientAddress;
    }

    @Override
    public @Nullable HostPort backend() {
        return backendAddress;
    }

    @Override
    public Instant since() {
        return since;
    }

    @Override
    public long bytesReceived() {
        return traffic.received();
    }

    @Override
    public long bytesSent() {
        return traffic.sent();
    }
}

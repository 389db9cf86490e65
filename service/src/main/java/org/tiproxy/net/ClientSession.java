package org.tiproxy.net;

import io.netty.channel.socket.SocketChannel;
import java.net.InetSocketAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.ProxySession;

/** What an operator sees of every session, whatever it speaks. */
abstract class ClientSession implements ProxySession {
    final ProxyListener proxy;
    final long id;
    final HostPort clientAddress;
    final Traffic traffic;

    /** Written by the event loop, read by anybody. */
    volatile @Nullable HostPort backendAddress;

    private final Instant since = Instant.now();

    ClientSession(ProxyListener proxy, SocketChannel client) {
        this.proxy = proxy;
        this.id = proxy.sessions().nextId();
        this.traffic = new Traffic(proxy.sessions());
        InetSocketAddress remote = client.remoteAddress();
        // Null when the client has left between the accept and now.
        this.clientAddress = remote == null ? new HostPort("", 0) : HostPort.of(remote);
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

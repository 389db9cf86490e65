package org.tiproxy.net;

import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/** Opens TCP connections to backends on the caller's event loop. */
final class BackendConnector {
    private static final Pattern SYSTEM_CALL = Pattern.compile("^\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): ");
    private static final Pattern ADDRESS = Pattern.compile(": [^ :]*/[^ /]+:\\d+$");

    private final ChannelFactory<? extends SocketChannel> channels;
    private final SocketOptions options;
    private final int connectTimeoutMillis;
    private final Executor resolver;

    BackendConnector(
            ChannelFactory<? extends SocketChannel> channels,
            SocketOptions options,
            int connectTimeoutMillis,
            Executor resolver) {
        this.channels = channels;
        this.options = options;
        this.connectTimeoutMillis = connectTimeoutMillis;
        this.resolver = resolver;
    }

    /**
     * Connects without blocking.
     *
     * @param handler makes the new channel's handler; the channel does not read until told to
     * @param listener hears the outcome, on {@code loop}
     */
    void connect(
            EventLoop loop,
            HostPort backend,
            Function<SocketChannel, ChannelHandler> handler,
            GenericFutureListener<Future<? super Void>> listener) {
        if (backend.isLiteral()) {
            connect(loop, backend.resolve(), handler, listener);
        } else {
            // The JDK's look-up blocks: not on the event loop. The JDK caches what it finds.
            resolver.execute(() -> {
                InetSocketAddress address = backend.resolve();
                loop.execute(() -> connect(loop, address, handler, listener));
            });
        }
    }

    /** Why connecting failed, in the operating system's words: Netty adds the call and repeats the address. */
    static String describe(@Nullable Throwable failure) {
        String message = failure == null ? "no channel" : failure.getMessage();
        if (message == null) {
            return String.valueOf(failure);
        }
        return SYSTEM_CALL.matcher(ADDRESS.matcher(message).replaceFirst("")).replaceFirst("");
    }

    private void connect(
            EventLoop loop,
            InetSocketAddress address,
            Function<SocketChannel, ChannelHandler> handler,
            GenericFutureListener<Future<? super Void>> listener) {
        if (address.isUnresolved()) {
            loop.<Void>newFailedFuture(new UnknownHostException("unknown host " + address.getHostString()))
                    .addListener(listener);
            return;
        }
        SocketChannel channel = channels.newChannel();
        options.apply(channel.config());
        channel.config().setConnectTimeoutMillis(connectTimeoutMillis);
        channel.pipeline().addLast(handler.apply(channel));
        loop.register(channel).addListener(registered -> {
            if (registered.isSuccess()) {
                channel.connect(address).addListener(listener);
            } else {
                loop.<Void>newFailedFuture(registered.cause()).addListener(listener);
            }
        });
    }
}

package org.tiproxy.net;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Closes sockets whose peer may still be sending: closed with unread input, a socket is reset, and the peer may lose the
 * last words that it was sent. So after they are written the output is ended, and what the peer sends is thrown away until
 * it ends its output too, for a limited time.
 *
 * <p>Thread-safe; each socket's methods on its event loop.
 */
final class LingeringClose {
    /** How long the last words may take to be written. */
    private static final long FLUSH_SECONDS = 15;

    /** How long the peer may then go on sending. */
    private static final long LINGER_MILLIS = 2000;

    /** More at a time would be a way to use up the file descriptors: those are closed at once. */
    private static final int MAX_LINGERING = 1000;

    private static final Discard DISCARD = new Discard();

    private final AtomicInteger lingering = new AtomicInteger();

    /** Closes {@code channel} as soon as everything is written that was written before, without lingering. */
    static void afterFlush(SocketChannel channel) {
        ChannelFuture flushed = flush(channel);
        if (flushed != null) {
            flushed.addListener(done -> channel.close());
        }
    }

    /** Closes {@code channel} after its output is written and its input has ended, or the time for either is over. */
    void close(SocketChannel channel) {
        ChannelFuture flushed = flush(channel);
        if (flushed == null) {
            return;
        }
        channel.pipeline().addFirst(DISCARD);
        channel.config().setAutoRead(true);
        flushed.addListener(done -> {
            if (!done.isSuccess() || lingering.incrementAndGet() > MAX_LINGERING) {
                if (done.isSuccess()) {
                    lingering.decrementAndGet();
                }
                channel.close();
                return;
            }
            channel.closeFuture().addListener(closed -> lingering.decrementAndGet());
            closeWithin(channel, LINGER_MILLIS, TimeUnit.MILLISECONDS);
            endOutput(channel);
        });
    }

    private static @Nullable ChannelFuture flush(SocketChannel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        boolean canWrite = tls == null || tls.handshakeFuture().isSuccess();
        if (!channel.isActive() || !canWrite) {
            channel.close();
            return null;
        }
        ChannelFuture flushed = channel.writeAndFlush(Unpooled.EMPTY_BUFFER);
        if (!flushed.isDone()) {
            closeWithin(channel, FLUSH_SECONDS, TimeUnit.SECONDS);
        }
        return flushed;
    }

    private static void endOutput(SocketChannel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls == null) {
            channel.shutdownOutput();
        } else {
            // Without it the peer would take the end of the stream for an attack.
            tls.closeOutbound().addListener(sent -> channel.shutdownOutput());
        }
    }

    private static void closeWithin(SocketChannel channel, long time, TimeUnit unit) {
        Future<?> timer = channel.eventLoop().schedule(() -> channel.close(), time, unit);
        channel.closeFuture().addListener(closed -> timer.cancel(false));
    }

    /** How many sockets wait for their peer's end. */
    int lingering() {
        return lingering.get();
    }

    @ChannelHandler.Sharable
    private static final class Discard extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            // A reset is as good as an end: the channel is closed in any case.
        }
    }
}

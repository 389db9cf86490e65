package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import java.nio.channels.ClosedChannelException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.pool.IdleListener;

/**
 * A backend connection that outlives sessions. A session that has borrowed it puts its own handler in front of this one;
 * otherwise what the backend says is unasked for.
 *
 * <p>Everything happens on the event loop of its channel, unless a method says otherwise. That loop changes while nobody
 * has the connection ({@link #moveTo}), so that both sockets of a session share one.
 */
class PooledChannel extends ChannelInboundHandlerAdapter {
    final SocketChannel channel;

    // Read by any thread.
    private volatile @Nullable String lost;
    private volatile @Nullable IdleListener watcher;

    PooledChannel(SocketChannel channel) {
        this.channel = channel;
    }

    /** Whether nothing speaks against talking to the backend. On any thread. */
    final boolean isAlive() {
        return lost == null && channel.isActive();
    }

    /** Why it is not alive. On any thread. */
    final String whyLost() {
        String why = lost;
        return why == null ? "the connection was closed" : why;
    }

    // ---- the pool's watch, on any thread

    /** Reports from now on what happens unasked. */
    final void watch(IdleListener listener) {
        watcher = listener;
        if (!isAlive()) {
            listener.lost(whyLost());
        }
    }

    /** Ends {@link #watch}; false if something has happened. */
    final boolean endWatch() {
        watcher = null;
        return isAlive();
    }

    /** Closes it. On any thread. */
    void close() {
        channel.close();
    }

    // ---- a session's

    /**
     * Brings the channel to another event loop. To be called on any thread, while nobody else has the connection.
     *
     * @param then hears exactly once, on {@code loop}: null when the channel is there, or why the connection is lost; a
     *     backend that closes it on the way is not reported otherwise
     */
    final void moveTo(EventLoop loop, Consumer<@Nullable String> then) {
        if (channel.eventLoop() == loop) {
            if (loop.inEventLoop()) {
                then.accept(null);
            } else {
                loop.execute(() -> then.accept(null));
            }
            return;
        }
        channel.deregister().addListener(left -> {
            if (!left.isSuccess()) {
                lostOnTheWay(loop, left.cause(), then);
                return;
            }
            loop.register(channel).addListener(arrived -> {
                if (arrived.isSuccess()) {
                    loop.execute(() -> then.accept(null));
                } else {
                    lostOnTheWay(loop, arrived.cause(), then);
                }
            });
        });
    }

    private void lostOnTheWay(EventLoop loop, Throwable cause, Consumer<@Nullable String> then) {
        channel.close();
        loop.execute(() -> {
            giveUp(
                    cause instanceof ClosedChannelException
                            ? "closed by the backend"
                            : "its channel could not change its event loop: " + cause);
            then.accept(whyLost());
        });
    }

    /** Lets a session's handler have what the backend says. */
    void attach(ChannelHandler session) {
        channel.pipeline().addBefore(channel.pipeline().context(this).name(), null, session);
    }

    /** Ends {@link #attach}. What the session has written goes out. */
    final void detach(ChannelHandler session) {
        if (channel.pipeline().context(session) != null) {
            // Else the channel is closed, and Netty has removed it.
            channel.pipeline().remove(session);
        }
        channel.flush();
        if (channel.isOpen()) {
            channel.config().setAutoRead(true);
        }
    }

    /** It is not used any more, by our own doing: the pool is not told. */
    final void giveUp(String why) {
        if (lost == null) {
            lost = why;
        }
    }

    /** It cannot be used any more; the first reason counts. */
    final void lose(String why) {
        giveUp(why);
        onLost(why);
        IdleListener listener = watcher;
        if (listener != null) {
            listener.lost(why);
        }
    }

    /** It was lost, perhaps not for the first time. */
    void onLost(String why) {}

    // ---- the backend's

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            received(bytes);
        } finally {
            bytes.release();
        }
    }

    /** The backend has sent bytes while no session has the connection. */
    void received(ByteBuf bytes) {
        lose("the backend has sent " + bytes.readableBytes() + " bytes unasked");
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            lose("closed by the backend");
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        lose("closed by the backend");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        lose(cause.getMessage() == null ? cause.toString() : cause.getMessage());
        ctx.close();
    }
}

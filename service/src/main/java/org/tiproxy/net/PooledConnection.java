package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.net.tls.TlsFailure;
import org.tiproxy.pool.IdleListener;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.protocol.Command;

/**
 * A backend connection that outlives sessions: its socket, and who is logged in. A session that has borrowed it puts its
 * own handler in front of this one; otherwise what the backend says is the answer in a {@link Talk}, or unasked for.
 *
 * <p>Everything happens on the event loop of its channel, unless a method says otherwise. That loop changes while nobody
 * has the connection ({@link #moveTo}), so that both sockets of a session share one.
 */
final class PooledConnection extends ChannelInboundHandlerAdapter {
    /** Something that the proxy itself says to the backend: a login, a cleaning, a ping. */
    interface Talk {
        /** The backend has sent bytes: all are taken. */
        void bytes(ByteBuffer chunk);

        /** Whether no more answers are due. */
        boolean isOver();
    }

    final SocketChannel channel;

    private @Nullable Talk talk;
    private @Nullable Consumer<@Nullable String> afterTalk;
    private @Nullable Future<?> talkTimer;

    // Read by any thread.
    private volatile @Nullable BackendConnectionInfo info;
    private volatile String user = "";
    private volatile boolean atRest;
    private volatile @Nullable String lost;
    private volatile @Nullable IdleListener watcher;

    PooledConnection(SocketChannel channel) {
        this.channel = channel;
    }

    /** Who is logged in and how; null until the backend has greeted. On any thread. */
    @Nullable
    BackendConnectionInfo info() {
        return info;
    }

    /** The connection is in another condition now. */
    void became(BackendConnectionInfo now) {
        info = now;
        String name = now.user();
        user = name == null ? "" : name;
    }

    /** Who was logged in last; empty if nobody was. On any thread. */
    String user() {
        return user;
    }

    /** A client has logged in by itself. */
    void userChanged(String name) {
        user = name;
    }

    /** Whether nothing speaks against talking to the backend. On any thread. */
    boolean isAlive() {
        return lost == null && channel.isActive();
    }

    /** Sends bytes of the proxy's own, which are overwritten after the call. */
    void send(ByteBuffer bytes) {
        channel.write(Unpooled.copiedBuffer(bytes), channel.voidPromise());
    }

    // ---- the pool's watch, on any thread

    /** Reports from now on what happens unasked. */
    void watch(IdleListener listener) {
        watcher = listener;
        if (!isAlive()) {
            listener.lost(String.valueOf(lost));
        }
    }

    /** Ends {@link #watch}; false if something has happened. */
    boolean endWatch() {
        watcher = null;
        return isAlive();
    }

    /** Closes it, with a COM_QUIT where the backend waits for a command: without, it would log an aborted connection. */
    void close() {
        EventLoop loop = channel.eventLoop();
        if (!loop.inEventLoop()) {
            loop.execute(this::close);
            return;
        }
        BackendConnectionInfo now = info;
        if (atRest && isAlive() && now != null && now.isLoggedIn()) {
            lost = "closed by the pool";
            send(ComSimple.encode(Command.COM_QUIT).toPacket(0));
            LingeringClose.afterFlush(channel);
        } else {
            channel.close();
        }
    }

    // ---- a session's

    /**
     * Brings the channel to another event loop. To be called on any thread, while nobody else has the connection.
     *
     * @param then hears exactly once, on {@code loop}: null when the channel is there, or why the connection is lost; a
     *     backend that closes it on the way is not reported otherwise
     */
    void moveTo(EventLoop loop, Consumer<@Nullable String> then) {
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
            if (lost == null) {
                lost = cause instanceof ClosedChannelException
                        ? "closed by the backend"
                        : "its channel could not change its event loop: " + cause;
            }
            then.accept(lost);
        });
    }

    /** Lets a session's handler have what the backend says. */
    void attach(ChannelHandler session) {
        atRest = false;
        channel.pipeline().addBefore(channel.pipeline().context(this).name(), null, session);
    }

    /** Ends {@link #attach}. What the session has written goes out. */
    void detach(ChannelHandler session) {
        channel.pipeline().remove(session);
        channel.flush();
        if (channel.isOpen()) {
            channel.config().setAutoRead(true);
        }
    }

    /**
     * Talks with the backend; what was sent before goes out now.
     *
     * @param then hears exactly once, perhaps within this call: null when the talk is over, or why the connection is lost
     */
    void talk(Talk begun, Duration timeout, Consumer<@Nullable String> then) {
        if (!isAlive()) {
            then.accept(lost == null ? "the connection was closed" : lost);
            return;
        }
        atRest = false;
        channel.flush();
        talk = begun;
        afterTalk = then;
        if (begun.isOver()) {
            endTalk(null);
            return;
        }
        talkTimer = channel.eventLoop()
                .schedule(
                        () -> lose("no answer within " + timeout.toMillis() + " ms"),
                        timeout.toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    /** Starts TLS as the client, after what was sent, on behalf of the talk under way. */
    void startTls(SslHandler tls, HostPort backend, Runnable started) {
        channel.flush();
        channel.pipeline().addFirst(tls);
        tls.handshakeFuture().addListener(outcome -> {
            if (talk == null) {
                return;
            }
            if (outcome.cause() != null) {
                lose(TlsFailure.withBackend(backend, outcome.cause()));
                return;
            }
            started.run();
            progressed();
        });
    }

    private void progressed() {
        Talk current = talk;
        channel.flush();
        // Flushing may have found out that the connection is lost: then somebody else has been told so.
        if (current != null && current == talk && current.isOver()) {
            endTalk(null);
        }
    }

    private void endTalk(@Nullable String failure) {
        Consumer<@Nullable String> then = afterTalk;
        Future<?> timer = talkTimer;
        if (timer != null) {
            timer.cancel(false);
        }
        talk = null;
        afterTalk = null;
        talkTimer = null;
        atRest = failure == null;
        if (then != null) {
            then.accept(failure);
        }
    }

    private void lose(String why) {
        if (lost == null) {
            lost = why;
        }
        if (talk != null) {
            endTalk(why);
        }
        IdleListener listener = watcher;
        if (listener != null) {
            listener.lost(why);
        }
    }

    // ---- the backend's

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            Talk current = talk;
            if (current == null) {
                lose("the backend has sent " + bytes.readableBytes() + " bytes unasked");
                return;
            }
            current.bytes(bytes.nioBuffer());
            progressed();
        } finally {
            bytes.release();
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

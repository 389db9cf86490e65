package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.KillAim;
import org.tiproxy.engine.SharedMySqlConnections;
import org.tiproxy.net.tls.TlsFailure;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendTalk;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.protocol.Command;

/**
 * A MySQL connection of the pool: its socket, and who is logged in. While no session has it, what the backend says is the
 * answer in a {@link BackendTalk}, or unasked for.
 */
final class PooledConnection extends PooledChannel implements SharedMySqlConnections.MySqlConnection {
    private @Nullable BackendTalk talk;
    private @Nullable Consumer<@Nullable String> afterTalk;
    private @Nullable Future<?> talkTimer;

    // Read by any thread.
    private volatile @Nullable BackendConnectionInfo info;
    private volatile String user = "";
    private volatile boolean atRest;

    private final KillAim aim = new KillAim();

    private List<OpeningStatement> opening = List.of();
    private List<OpeningStatement> lastSaid = List.of();
    private String lastSchema = "";
    private long lastHeard;

    PooledConnection(SocketChannel channel) {
        super(channel);
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
    @Override
    public String user() {
        return user;
    }

    @Override
    public long threadId() {
        BackendConnectionInfo known = info;
        return known == null ? 0 : known.threadId();
    }

    /** A client has logged in by itself. */
    void userChanged(String name) {
        user = name;
    }

    /** The statements that were run since it was clean, and nothing else was. On the event loop. */
    List<OpeningStatement> opening() {
        return opening;
    }

    void setOpening(List<OpeningStatement> statements) {
        opening = statements;
    }

    /**
     * A session that has opened with these statements is over. On the event loop.
     *
     * @param schema the one that it has logged in with
     * @return whether the one before it has opened with the same ones, so that the next one probably will
     */
    boolean hasSaid(List<OpeningStatement> statements, String schema) {
        boolean again = lastSaid.size() == statements.size() && lastSchema.equals(schema);
        lastSchema = schema;
        for (int i = 0; again && i < statements.size(); i++) {
            again = lastSaid.get(i).packet().equals(statements.get(i).packet());
        }
        lastSaid = List.copyOf(statements);
        return again;
    }

    /** Sends bytes of the proxy's own, which are overwritten after the call. */
    void send(ByteBuffer bytes) {
        channel.write(Unpooled.copiedBuffer(bytes), channel.voidPromise());
    }

    /** With a COM_QUIT where the backend waits for a command: without, it would log an aborted connection. */
    @Override
    void close() {
        EventLoop loop = channel.eventLoop();
        if (!loop.inEventLoop()) {
            loop.execute(this::close);
            return;
        }
        BackendConnectionInfo now = info;
        if (atRest && isAlive() && now != null && now.isLoggedIn()) {
            giveUp("closed by the pool");
            send(ComSimple.encode(Command.COM_QUIT).toPacket(0));
            LingeringClose.afterFlush(channel);
        } else {
            channel.close();
        }
    }

    // ---- KILL, on any thread

    /** Whose it is. */
    KillAim aim() {
        return aim;
    }

    // ---- a session's

    @Override
    void attach(ChannelHandler session) {
        atRest = false;
        super.attach(session);
    }

    /** Its session has left it as it was: the backend waits for a command. */
    void rest() {
        atRest = true;
    }

    /** When the last {@link #talk} with the backend ended well, on {@link System#nanoTime}. On the event loop. */
    long lastHeard() {
        return lastHeard;
    }

    /**
     * Talks with the backend; what was sent before goes out now.
     *
     * @param then hears exactly once, perhaps within this call: null when the talk is over, or why the connection is lost
     */
    void talk(BackendTalk begun, Duration timeout, Consumer<@Nullable String> then) {
        if (!isAlive()) {
            then.accept(whyLost());
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
        BackendTalk current = talk;
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
        if (failure == null) {
            lastHeard = System.nanoTime();
        }
        if (then != null) {
            then.accept(failure);
        }
    }

    @Override
    void onLost(String why) {
        if (talk != null) {
            endTalk(why);
        }
    }

    @Override
    void received(ByteBuf bytes) {
        BackendTalk current = talk;
        if (current == null) {
            super.received(bytes);
        } else {
            current.bytes(bytes.nioBuffer());
            progressed();
        }
    }
}

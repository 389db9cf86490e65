package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

/**
 * Relays one client to the backend, bytes as they come, in both directions.
 *
 * <pre>
 * from        admitted     connected   both inputs ended, or one side broke   all written   closed, refused, failed
 * WAITING     CONNECTING   -           -                                      -             CLOSED
 * CONNECTING  -            RELAYING    -                                      -             CLOSED
 * RELAYING    -            -           CLOSING                                -             CLOSED
 * CLOSING     -            -           -                                      CLOSED        CLOSED
 * </pre>
 *
 * <p><b>Half-close.</b> When one side ends its output, that is passed on once everything it sent has been written; the
 * other direction goes on. When one side breaks (reset, failed write), what it sent before is still delivered, and the
 * other side is reset after that, so that it cannot take a cut answer for a whole one. It has
 * 15 seconds to read it. A session that is ended by force is reset on both sides for the same reason, also before its
 * backend is connected.
 *
 * <p><b>Back-pressure.</b> A leg whose peer has more than the write buffer's high water mark to write stops reading, so a
 * session holds at most that mark and one read in each direction. While the backend is not connected, at most {@link
 * #EARLY_BYTES} and one read are kept of what the client sends.
 *
 * <p>A client that ends its output before it has sent anything, while there is no backend yet, is taken to have gone: TCP
 * does not tell a closed socket from a half-closed one. If it has sent something it is waiting for the answer.
 *
 * <p>Both channels live on the client's event loop; everything happens there unless a method says otherwise.
 */
class TcpSession extends ClientSession implements BackendGate.Visitor {
    private static final Logger log = LoggerFactory.getLogger(TcpSession.class);

    /** How much a client may send before its backend is connected. */
    static final int EARLY_BYTES = 64 * 1024;

    /** How long one side may take to read what the other one had sent before it went. */
    private static final long LAST_WORDS_SECONDS = 15;

    private static final long HALF_OPEN_CHECK_MILLIS = 500;

    private static final Map<TcpSessionState, Set<TcpSessionState>> TRANSITIONS = new EnumMap<>(Map.of(
            TcpSessionState.WAITING, EnumSet.of(TcpSessionState.CONNECTING, TcpSessionState.CLOSED),
            TcpSessionState.CONNECTING, EnumSet.of(TcpSessionState.RELAYING, TcpSessionState.CLOSED),
            TcpSessionState.RELAYING, EnumSet.of(TcpSessionState.CLOSING, TcpSessionState.CLOSED),
            TcpSessionState.CLOSING, EnumSet.of(TcpSessionState.CLOSED),
            TcpSessionState.CLOSED, EnumSet.noneOf(TcpSessionState.class)));

    final Leg client;

    @Nullable
    Leg backend;

    private TcpSessionState state = TcpSessionState.WAITING;
    private BackendGate.@Nullable Ticket ticket;
    private @Nullable Queue<ByteBuf> early;
    private int earlyBytes;

    @Nullable
    String backendGone;

    private @Nullable IdleTimer idleTimer;

    TcpSession(ProxyListener proxy, SocketChannel clientChannel) {
        super(proxy, clientChannel);
        this.client = new Leg(clientChannel, true);
    }

    @Override
    void begin() {
        client.channel.pipeline().addLast(client);
        proxy.sessions().add(this);
    }

    @Override
    void enter() {
        if (state == TcpSessionState.CLOSED) {
            return;
        }
        BackendGate.Ticket entered = proxy.gate().enter(this);
        ticket = entered;
        if (state == TcpSessionState.CLOSED) {
            entered.close();
        }
    }

    // ---- the gate's answers, on any thread

    @Override
    public void admitted() {
        onLoop(this::connect);
    }

    @Override
    public void refused(ProxyException cause) {
        onLoop(() -> {
            if (state == TcpSessionState.WAITING) {
                proxy.sessions().countFailed();
                end(cause.error(), cause.getMessage());
            }
        });
    }

    @Override
    public void backendGone(String reason) {
        onLoop(() -> {
            backendGone = reason;
            if (state == TcpSessionState.WAITING) {
                end(ProxyError.BACKEND_LOST, reason);
                return;
            }
            if (state == TcpSessionState.CONNECTING) {
                // It may have accepted and answered already; connected() tells.
                return;
            }
            Leg gone = backend;
            if (gone != null && gone.inputEnded) {
                finish(gone);
            } else {
                // The end of its output is on its way; a client that does not read must not keep us waiting for it.
                endLater(reason);
            }
        });
    }

    private void endLater(String reason) {
        client.channel
                .eventLoop()
                .schedule(() -> end(ProxyError.BACKEND_LOST, reason), LAST_WORDS_SECONDS, TimeUnit.SECONDS);
    }

    // ---- connecting

    /** The gate has opened. */
    void connect() {
        if (state != TcpSessionState.WAITING) {
            return;
        }
        moveTo(TcpSessionState.CONNECTING);
        connectBackend();
    }

    /** Brings a connection: {@link #established} or {@link #unreachable} is to follow. */
    void connectBackend() {
        proxy.connector()
                .connect(
                        client.channel.eventLoop(),
                        proxy.backend(),
                        channel -> {
                            Leg leg = new Leg(channel, false);
                            backend = leg;
                            return leg;
                        },
                        this::connected);
    }

    private void connected(Future<? super Void> outcome) {
        Leg leg = backend;
        if (state != TcpSessionState.CONNECTING) {
            if (leg != null) {
                leg.channel.close();
            }
            return;
        }
        if (!outcome.isSuccess() || leg == null) {
            unreachable(
                    ProxyError.BACKEND_UNREACHABLE,
                    "backend " + proxy.backend() + " cannot be reached: " + BackendConnector.describe(outcome.cause()));
            return;
        }
        introduce(leg.channel);
        established(leg, proxy.backend());
    }

    /** There is no connection. */
    final void unreachable(ProxyError error, String message) {
        proxy.sessions().countFailed();
        if (backendGone != null) {
            end(ProxyError.BACKEND_LOST, backendGone);
            return;
        }
        proxy.unreachable(message);
        end(error, message);
    }

    /** The connection is there: what the client has sent goes out. */
    final void established(Leg leg, HostPort address) {
        backend = leg;
        backendAddress = address;
        moveTo(TcpSessionState.RELAYING);
        if (!proxy.idleTimeout().isZero()) {
            IdleTimer timer = new IdleTimer(
                    client.channel.eventLoop(),
                    proxy.ticker(),
                    proxy.idleTimeout(),
                    () -> Traffic.unsent(client.channel) + Traffic.unsent(leg.channel),
                    () -> false,
                    () -> idleTooLong(
                            "nothing was sent for " + proxy.idleTimeout().toMillis() + " ms"));
            idleTimer = timer;
            timer.start();
        }
        Queue<ByteBuf> held = early;
        if (held != null) {
            early = null;
            for (ByteBuf bytes : held) {
                passing(client);
                leg.channel.write(bytes, leg.channel.voidPromise());
            }
            leg.channel.flush();
        }
        if (client.inputEnded) {
            clientFinished(leg);
        } else {
            client.channel.config().setAutoRead(leg.channel.isWritable());
        }
        leg.channel.config().setAutoRead(true);
        if (client.broken) {
            brokeDown(client);
        }
        if (backendGone != null) {
            endLater(backendGone);
        }
    }

    // ---- relaying

    private void received(Leg from, ByteBuf bytes) {
        int length = bytes.readableBytes();
        if (from == client) {
            traffic.countReceived(length);
        } else {
            traffic.countSent(length);
        }
        Leg to = peer(from);
        if (to != null && (state == TcpSessionState.RELAYING || state == TcpSessionState.CLOSING) && !to.broken) {
            passing(from);
            Channel target = to.channel;
            target.write(bytes, target.voidPromise());
            if (!target.isWritable()) {
                // Write first and look again: mostly the socket takes it all and reading can go on.
                target.flush();
                if (!target.isWritable()) {
                    from.channel.config().setAutoRead(false);
                }
            }
        } else if (from == client && (state == TcpSessionState.WAITING || state == TcpSessionState.CONNECTING)) {
            hold(bytes);
        } else {
            bytes.release();
        }
    }

    /** Bytes of {@code from} are about to be written to the other side. */
    void passing(Leg from) {}

    /** The client has ended its output, and is not known to have broken: its end is passed on. */
    void clientFinished(Leg to) {
        passEnd(to);
        watchHalfOpen(client);
    }

    /** The second side has ended its output, too. */
    void bothFinished() {}

    void idleTooLong(String reason) {
        end(ProxyError.IDLE_TIMEOUT, reason);
    }

    private void hold(ByteBuf bytes) {
        Queue<ByteBuf> held = early;
        if (held == null) {
            held = new ArrayDeque<>(2);
            early = held;
        }
        held.add(bytes);
        earlyBytes += bytes.readableBytes();
        if (earlyBytes >= EARLY_BYTES) {
            client.channel.config().setAutoRead(false);
        }
        held();
    }

    /** The client has sent something, and there is no backend yet. */
    void held() {}

    final boolean isHolding() {
        return earlyBytes > 0;
    }

    /** {@code from} has sent its last byte. */
    private void inputEnded(Leg from) {
        if (from.inputEnded) {
            return;
        }
        from.inputEnded = true;
        if (state == TcpSessionState.WAITING || state == TcpSessionState.CONNECTING) {
            if (from == client && (earlyBytes == 0 || from.broken)) {
                end(ProxyError.CLIENT_LOST, "the client left before the backend was there");
            }
            return;
        }
        Leg to = peer(from);
        if (to == null || state == TcpSessionState.CLOSING) {
            // Closing already: the other side broke, and what it said is being delivered.
            return;
        }
        if (from.broken || (from == backend && backendGone != null)) {
            finish(from);
        } else {
            if (to.inputEnded) {
                moveTo(TcpSessionState.CLOSING);
                bothFinished();
            } else if (from == client) {
                clientFinished(to);
                return;
            }
            passEnd(to);
            watchHalfOpen(from);
        }
    }

    /**
     * Looks now and then whether a socket whose peer has ended its output was reset since. Netty's epoll transport does
     * not report that, and would be woken by it without end.
     */
    final void watchHalfOpen(Leg side) {
        client.channel
                .eventLoop()
                .schedule(
                        () -> {
                            if (state == TcpSessionState.CLOSED || side.broken) {
                                return;
                            }
                            if (proxy.transport().wasReset(side.channel)) {
                                side.breakage = "Connection reset by peer";
                                brokeDown(side);
                            } else {
                                watchHalfOpen(side);
                            }
                        },
                        HALF_OPEN_CHECK_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    /** Tells {@code to} that its peer has nothing more to say, after everything written before. */
    final void passEnd(Leg to) {
        to.channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            if (written.isSuccess()) {
                to.channel.shutdownOutput().addListener(done -> outputEnded(to));
            } else {
                outputEnded(to);
            }
        });
    }

    private void outputEnded(Leg to) {
        to.outputEnded = true;
        Leg other = peer(to);
        if (other != null && other.outputEnded) {
            end(null, "both sides have finished");
        }
    }

    /** One side can no longer be written to: nothing can come of the other side's bytes, but its own may still come. */
    private void brokeDown(Leg side) {
        side.broken = true;
        if (state == TcpSessionState.WAITING) {
            end(ProxyError.CLIENT_LOST, "the client's connection broke: " + side.breakage);
            return;
        }
        Leg other = peer(side);
        if (other == null || state == TcpSessionState.CONNECTING) {
            return;
        }
        if (side.inputEnded) {
            finish(side);
        } else {
            other.channel.config().setAutoRead(false);
        }
    }

    /** {@code gone} has said its last and hears nothing more: deliver what it said, then close both. */
    private void finish(Leg gone) {
        Leg rest = peer(gone);
        if (state == TcpSessionState.RELAYING) {
            moveTo(TcpSessionState.CLOSING);
        }
        gone.channel.close();
        if (rest == null) {
            end(ProxyError.INTERNAL, "one side is missing");
            return;
        }
        rest.channel.config().setAutoRead(false);
        endLater(rest + " did not read what was left for it");
        rest.channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            if (gone.broken) {
                reset(rest);
            }
            end(
                    gone == client ? ProxyError.CLIENT_LOST : ProxyError.BACKEND_LOST,
                    backendGone != null && gone != client
                            ? backendGone
                            : gone + " broke: " + (gone.breakage == null ? "closed unexpectedly" : gone.breakage));
        });
    }

    private static void reset(Leg leg) {
        if (leg.channel.isOpen()) {
            leg.channel.config().setSoLinger(0);
        }
    }

    private @Nullable Leg peer(Leg leg) {
        return leg == client ? backend : client;
    }

    // ---- the end

    void end(@Nullable ProxyError cause, @Nullable String reason) {
        if (state == TcpSessionState.CLOSED) {
            return;
        }
        TcpSessionState last = state;
        moveTo(TcpSessionState.CLOSED);
        ended(
                cause == null ? ErrorSource.CLIENT : cause.source(),
                cause == null ? "FINISHED" : cause.name(),
                reason == null ? "" : reason);
        if (idleTimer != null) {
            idleTimer.stop();
        }
        Queue<ByteBuf> held = early;
        if (held != null) {
            early = null;
            held.forEach(ByteBuf::release);
        }
        Leg other = backend;
        if (isCut(last, cause)
                || Traffic.unsent(client.channel) + (other == null ? 0 : Traffic.unsent(other.channel)) > 0) {
            // Cut short: neither side may take what it has got for the whole.
            reset(client);
            if (other != null) {
                reset(other);
            }
        }
        client.channel.close();
        if (other != null) {
            closeBackend(other);
        }
        BackendGate.Ticket entered = ticket;
        if (entered != null) {
            entered.close();
        }
        proxy.sessions().remove(this);
        if (log.isDebugEnabled()) {
            log.debug(
                    "session {} from {} ended while {} ({}): {}; {} bytes received, {} sent",
                    id,
                    clientAddress,
                    last,
                    cause == null ? "finished" : cause.source() + " " + cause,
                    reason,
                    traffic.received(),
                    traffic.sent());
        }
    }

    /** The session is over, and so is its connection. */
    void closeBackend(Leg leg) {
        leg.channel.close();
    }

    /** Whether an end is one by force, at a moment when a side could still expect something. */
    private static boolean isCut(TcpSessionState last, @Nullable ProxyError cause) {
        return switch (last) {
            case WAITING, CONNECTING -> cause != ProxyError.CLIENT_LOST;
            case RELAYING -> cause != ProxyError.IDLE_TIMEOUT;
            case CLOSING, CLOSED -> false;
        };
    }

    final TcpSessionState state() {
        return state;
    }

    final void moveTo(TcpSessionState next) {
        if (!allowed(state, next)) {
            throw new IllegalStateException("session " + id + ": no transition from " + state + " to " + next);
        }
        state = next;
    }

    static boolean allowed(TcpSessionState from, TcpSessionState to) {
        return TRANSITIONS.getOrDefault(from, Set.of()).contains(to);
    }

    final void onLoop(Runnable work) {
        if (client.channel.eventLoop().inEventLoop()) {
            work.run();
        } else {
            client.channel.eventLoop().execute(work);
        }
    }

    // ---- for operators, on any thread

    @Override
    public void close(ProxyError cause, String reason) {
        onLoop(() -> end(cause, reason));
    }

    /** One of the two sockets. */
    final class Leg extends ChannelInboundHandlerAdapter {
        final SocketChannel channel;
        private final boolean isClient;
        boolean inputEnded;
        private boolean outputEnded;
        boolean broken;

        @Nullable
        String breakage;

        Leg(SocketChannel channel, boolean isClient) {
            this.channel = channel;
            this.isClient = isClient;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            received(this, (ByteBuf) message);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            Leg to = peer(this);
            if (to != null && state != TcpSessionState.CONNECTING) {
                to.channel.flush();
            }
            if (idleTimer != null) {
                idleTimer.touch();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            Leg from = peer(this);
            if (from != null
                    && channel.isWritable()
                    && state == TcpSessionState.RELAYING
                    && !broken
                    && !from.inputEnded) {
                from.channel.config().setAutoRead(true);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                inputEnded(this);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (state != TcpSessionState.CLOSED && !(this == backend && state == TcpSessionState.CONNECTING)) {
                if (!outputEnded) {
                    broken = true;
                }
                inputEnded(this);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (state == TcpSessionState.CLOSED) {
                return;
            }
            if (breakage == null) {
                Throwable root = cause.getCause() instanceof IOException io ? io : cause;
                breakage = root.getMessage() == null ? root.toString() : root.getMessage();
            }
            if (!(cause instanceof IOException)) {
                log.error("session {} from {}: unexpected failure in {}", id, clientAddress, this, cause);
                end(ProxyError.INTERNAL, breakage);
                return;
            }
            brokeDown(this);
        }

        @Override
        public String toString() {
            return isClient ? "client" : "backend";
        }
    }
}

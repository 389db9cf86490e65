package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.TlsFailure;
import org.tiproxy.session.ConnectionIds;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.Login;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SessionEngine;
import org.tiproxy.session.SessionEvents;
import org.tiproxy.session.SessionListener;
import org.tiproxy.session.SessionOutput;
import org.tiproxy.session.SessionPhase;
import org.tiproxy.session.StatementOutcome;
import org.tiproxy.session.TransactionState;
import org.tiproxy.wire.protocol.Command;

/**
 * Drives one {@link SessionEvents} over two Netty channels. The engine decides; this class owns sockets and buffers:
 * what was received is forwarded as slices of the buffer it was received into, never copied.
 *
 * <p>Back-pressure: a leg whose peer has more than the write buffer's high water mark to write stops reading.
 *
 * <p>Both channels live on the client's event loop; everything happens there unless a method says otherwise.
 *
 * <p>The backend connection is the session's own, opened for it and closed with it; {@link PooledMySqlSession} borrows it.
 */
class MySqlSession extends ClientSession implements BackendGate.Visitor, SessionOutput, SessionListener {
    private static final Logger log = LoggerFactory.getLogger(MySqlSession.class);

    /** How long a backend's connection that has closed waits for the gate to say why. */
    private static final long REASON_MILLIS = 250;

    /** How long the end of a backend's output may take to come when the gate has said that the backend has gone. */
    private static final long LAST_WORDS_SECONDS = 15;

    final MySqlProtocol protocol;
    final Leg client;

    @Nullable
    Leg backend;

    final SessionEvents engine;
    private final SessionCounters.Share counters;

    private BackendGate.@Nullable Ticket ticket;
    private @Nullable Future<?> loginTimer;
    private @Nullable IdleTimer idleTimer;
    private boolean halfOpen = true;
    private boolean clientMayLogIn;
    boolean ended;

    /** Whether what is for the backend is looked at before it goes there. */
    boolean opens;

    /** What the gate says about the backend's end. */
    @Nullable
    String backendGone;

    /** The backend's socket is closed, and the gate is given time to say why. */
    private boolean awaitsReason;

    // Written by the event loop, read by anybody.
    private volatile @Nullable Login login;
    private volatile @Nullable Command command;
    private volatile long commandBegan;
    private volatile TransactionState transaction = TransactionState.NONE;
    private volatile String schema = "";

    /** A session with a backend connection of its own. */
    MySqlSession(ProxyListener proxy, MySqlProtocol protocol, SocketChannel channel) {
        this(
                proxy,
                protocol,
                channel,
                session -> new SessionEngine(
                        protocol.config(),
                        session,
                        session,
                        session.killTargets(),
                        MySqlProtocol.virtualId(session.id)));
    }

    MySqlSession(
            ProxyListener proxy,
            MySqlProtocol protocol,
            SocketChannel channel,
            Function<MySqlSession, SessionEvents> engine) {
        super(proxy, channel);
        this.protocol = protocol;
        this.counters = protocol.newShare();
        this.client = new Leg(channel, true);
        this.engine = engine.apply(this);
    }

    /** The session holds a place of {@link HalfOpenLogins} when it begins. */
    @Override
    void begin() {
        client.channel.pipeline().addLast(client);
        proxy.sessions().add(this);
    }

    @Override
    void enter() {
        if (ended) {
            return;
        }
        // Whoever waits for the backend's start is not slow to log in.
        leaveHalfOpen();
        BackendGate.Ticket entered = proxy.gate().enter(this);
        ticket = entered;
        if (ended) {
            entered.close();
        }
    }

    final void leaveHalfOpen() {
        if (halfOpen) {
            halfOpen = false;
            proxy.logins().leave();
        }
    }

    // ---- the gate's answers, on any thread

    @Override
    public void admitted() {
        onLoop(() -> {
            if (!ended) {
                halfOpen = true;
                proxy.logins().enter();
                connectBackend();
            }
        });
    }

    /** The gate has opened. */
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

    @Override
    public void refused(ProxyException cause) {
        onLoop(() -> {
            if (!ended) {
                proxy.sessions().countFailed();
                engine.backendFailed(cause);
                flush();
            }
        });
    }

    @Override
    public void backendGone(String reason) {
        onLoop(() -> {
            backendGone = reason;
            if (ended) {
                return;
            }
            if (awaitsReason) {
                endByBackend(reason);
            } else if (backendAddress != null) {
                awaitLastWords(reason);
            }
            // Else it is being connected to, and may have accepted and answered already; connected() tells.
        });
    }

    /** The end of the backend's output is on its way; a client that does not read must not keep us waiting for it. */
    private void awaitLastWords(String reason) {
        client.channel.eventLoop().schedule(() -> endByBackend(reason), LAST_WORDS_SECONDS, TimeUnit.SECONDS);
    }

    /** The backend's connection is closed, and everything that came on it has been passed on. */
    final void backendClosed(String why) {
        if (awaitsReason) {
            return;
        }
        String reason = backendGone;
        if (reason != null) {
            endByBackend(reason);
        } else if (proxy.gate().tellsWhyBackendsGo() && engine.phase() != SessionPhase.QUITTING) {
            awaitsReason = true;
            client.updateReading();
            client.channel.eventLoop().schedule(() -> endByBackend(why), REASON_MILLIS, TimeUnit.MILLISECONDS);
        } else {
            endByBackend(why);
        }
    }

    private void endByBackend(String reason) {
        awaitsReason = false;
        if (!ended) {
            engine.backendClosed(reason);
            client.updateReading();
            flush();
        }
    }

    private void connected(Future<? super Void> outcome) {
        Leg leg = backend;
        if (ended) {
            if (leg != null) {
                leg.channel.close();
            }
            return;
        }
        if (!outcome.isSuccess() || leg == null) {
            proxy.sessions().countFailed();
            String gone = backendGone;
            if (gone != null) {
                engine.backendFailed(new ProxyException(ProxyError.BACKEND_LOST, gone));
                flush();
                return;
            }
            String message =
                    "backend " + proxy.backend() + " cannot be reached: " + BackendConnector.describe(outcome.cause());
            proxy.unreachable(message);
            engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, message));
            flush();
            return;
        }
        backendAddress = proxy.backend();
        introduce(leg.channel);
        engine.backendConnected();
        leg.updateReading();
        flush();
        String gone = backendGone;
        if (gone != null) {
            awaitLastWords(gone);
        }
    }

    // ---- what the engine wants

    @Override
    public void forwardToBackend(int from, int to) {
        client.forward(from, to);
    }

    @Override
    public void forwardToClient(int from, int to) {
        Leg source = backend;
        if (source != null) {
            source.forward(from, to);
        }
    }

    @Override
    public void sendToBackend(ByteBuffer bytes) {
        // What was forwarded before goes out before.
        client.passOn();
        Leg target = backend;
        if (opens) {
            holdBack(bytes);
        } else if (target != null) {
            target.channel.write(Unpooled.copiedBuffer(bytes), target.channel.voidPromise());
        }
    }

    /** While {@link #opens}: these bytes are for the backend. */
    void holdBack(ByteBuffer bytes) {}

    /** While {@link #opens}: the backend has sent bytes, which the engine will see. */
    void heard(ByteBuffer bytes) {}

    /** While {@link #opens}: the engine has seen an event, and what it wanted is done. */
    void afterEngine() {}

    @Override
    public void sendToClient(ByteBuffer bytes) {
        Leg source = backend;
        if (source != null) {
            source.passOn();
        }
        client.channel.write(Unpooled.copiedBuffer(bytes), client.channel.voidPromise());
    }

    @Override
    public void startClientTls() {
        client.startsTls = true;
    }

    @Override
    public void startBackendTls() {
        Leg target = backend;
        if (target != null) {
            target.startsTls = true;
        }
    }

    @Override
    public void pauseClient() {
        client.paused = true;
    }

    @Override
    public void resumeClient() {
        client.resumes = true;
    }

    @Override
    public void end(SessionEnd end) {
        ended = true;
        counters.ended(end);
        ended(end.source(), end.reason().name(), end.text());
        leaveHalfOpen();
        if (end.reason() == EndReason.CLIENT_TLS_FAILED) {
            proxy.clientTlsFailed(clientAddress, end.text());
        }
        stopLoginTimer();
        if (idleTimer != null) {
            idleTimer.stop();
        }
        client.finish();
        Leg other = backend;
        if (other != null) {
            other.finish();
            LingeringClose.afterFlush(other.channel);
        }
        if (end.reason() == EndReason.CLIENT_QUIT) {
            // It has nothing more to say.
            LingeringClose.afterFlush(client.channel);
        } else {
            proxy.lingeringClose().close(client.channel);
        }
        BackendGate.Ticket entered = ticket;
        if (entered != null) {
            entered.close();
        }
        proxy.sessions().remove(this);
        if (log.isDebugEnabled()) {
            log.debug(
                    "session {} from {} ended by {} ({}): {}",
                    id,
                    clientAddress,
                    end.source(),
                    end.reason(),
                    end.text());
        }
    }

    // ---- what the engine tells

    @Override
    public void phaseChanged(SessionPhase phase) {
        switch (phase) {
            case GREETING -> startLoginTimer(this::backendIsSilent);
            case HANDSHAKE -> {
                if (!clientMayLogIn) {
                    clientMayLogIn = true;
                    startLoginTimer();
                }
            }
            case CHANGE_USER -> startLoginTimer();
            case COMMANDS, ENDED -> stopLoginTimer();
            case CONNECTING, CLIENT_TLS, BACKEND_TLS, AUTHENTICATION, ACQUIRING, QUITTING -> {}
        }
    }

    /** The client has the usual time to log in, from now on. */
    final void startLoginTimer() {
        startLoginTimer(engine::loginTimedOut);
    }

    private void startLoginTimer(Runnable timedOut) {
        stopLoginTimer();
        loginTimer = client.channel
                .eventLoop()
                .schedule(
                        () -> {
                            timedOut.run();
                            flush();
                        },
                        protocol.loginTimeout().toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    final void stopLoginTimer() {
        Future<?> timer = loginTimer;
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private void backendIsSilent() {
        proxy.sessions().countFailed();
        String message = "backend " + proxy.backend() + " has accepted the connection, but not greeted within "
                + protocol.loginTimeout().toMillis()
                + " ms (proxy.login-timeout): is it a MySQL server, and does it run?";
        proxy.unreachable(message);
        engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, message));
    }

    @Override
    public void loggedIn(Login who) {
        leaveHalfOpen();
        if (login == null) {
            commandBegan = proxy.ticker().nanoTime();
        }
        login = who;
        schema = who.schema();
        counters.loggedIn(who.clientTls());
        if (!proxy.idleTimeout().isZero() && idleTimer == null) {
            startIdleTimer(proxy.idleTimeout());
        }
    }

    @Override
    public void loginRefused(int errorCode) {
        // The refusal of the first login is the session's end, and counted there.
        if (login != null) {
            counters.changeOfUserRefused();
        }
    }

    private void startIdleTimer(Duration limit) {
        IdleTimer timer = new IdleTimer(
                client.channel.eventLoop(),
                proxy.ticker(),
                limit,
                this::unsent,
                engine::isBusy,
                () -> close(
                        ProxyError.IDLE_TIMEOUT,
                        "The client was disconnected by the proxy because it sent no command for " + limit.toMillis()
                                + " ms (proxy.idle-timeout)"));
        idleTimer = timer;
        timer.start();
    }

    private long unsent() {
        Leg other = backend;
        return Traffic.unsent(client.channel) + (other == null ? 0 : Traffic.unsent(other.channel));
    }

    @Override
    public void commandBegun(Command begun) {
        counters.commandBegun();
        // Before the command, so that nobody takes the age of the one before for this one's.
        commandBegan = proxy.ticker().nanoTime();
        command = begun;
    }

    @Override
    public void commandEnded(Command over) {
        command = engine.commandInFlight();
    }

    @Override
    public void transactionChanged(TransactionState state) {
        transaction = state;
        counters.transactionChanged(state);
    }

    @Override
    public void schemaChanged(String name) {
        schema = name;
    }

    // ---- for operators and other sessions, on any thread

    @Override
    public long connectionId() {
        return login == null ? 0 : Integer.toUnsignedLong(MySqlProtocol.virtualId(id));
    }

    @Nullable
    final Login login() {
        return login;
    }

    /** Whom this session's client can mean by the ids in a KILL. */
    final ConnectionIds killTargets() {
        return new ConnectionIds() {
            @Override
            public long backendIdOf(long virtualId) {
                MySqlSession victim = protocol.find(virtualId);
                return victim != null && Objects.equals(victim.backendAddress, backendAddress) ? victim.aimKill() : 0;
            }

            @Override
            public boolean killElsewhere(long virtualId, LongFunction<String> statement) {
                MySqlSession victim = protocol.find(virtualId);
                return victim != null
                        && victim.backendAddress != null
                        && !victim.backendAddress.equals(backendAddress)
                        && MySqlSession.this.killElsewhere(victim, statement);
            }
        };
    }

    /** Has a KILL carried out at the victim's backend, which is another than this session's; false if nobody can. */
    boolean killElsewhere(MySqlSession victim, LongFunction<String> statement) {
        return protocol.killer().kill(victim, user(), statement);
    }

    @Override
    public long backendConnectionId() {
        Login who = login;
        return who == null ? 0 : who.backendConnectionId();
    }

    @Override
    public String user() {
        Login who = login;
        return who == null ? "" : who.user();
    }

    @Override
    public String schema() {
        return schema;
    }

    @Override
    public String command() {
        Command current = command;
        return current == null ? "" : current.name();
    }

    @Override
    public long commandMillis() {
        return command == null
                ? 0
                : TimeUnit.NANOSECONDS.toMillis(proxy.ticker().nanoTime() - commandBegan);
    }

    @Override
    public String transaction() {
        return login == null ? "" : transaction.name();
    }

    @Override
    public boolean tls() {
        Login who = login;
        return who != null && who.clientTls();
    }

    @Override
    public long quietMillis() {
        return login == null ? 0 : TimeUnit.NANOSECONDS.toMillis(proxy.ticker().nanoTime() - commandBegan);
    }

    @Override
    public CompletableFuture<StatementOutcome> execute(String sql) {
        CompletableFuture<StatementOutcome> outcome = new CompletableFuture<>();
        onLoop(() -> {
            engine.execute(sql, outcome::complete);
            client.afterEvent();
            flush();
        });
        return outcome;
    }

    @Override
    public void close(ProxyError cause, String reason) {
        close(cause, reason, () -> {});
    }

    @Override
    public void close(ProxyError cause, String reason, Runnable then) {
        onLoop(() -> {
            engine.kill(new ProxyException(cause, reason));
            flush();
            then.run();
        });
    }

    @Override
    public void drain() {
        onLoop(() -> {
            engine.drain();
            flush();
        });
    }

    @Override
    public void cancelDrain() {
        onLoop(engine::cancelDrain);
    }

    final void onLoop(Runnable work) {
        if (client.channel.eventLoop().inEventLoop()) {
            work.run();
        } else {
            client.channel.eventLoop().execute(work);
        }
    }

    final void flush() {
        client.channel.flush();
        Leg other = backend;
        if (other != null) {
            other.channel.flush();
        }
    }

    private void tlsFailed(Leg leg, Throwable cause) {
        if (leg == client) {
            engine.clientClosed(TlsFailure.withClient(cause));
            return;
        }
        proxy.sessions().countFailed();
        String message = TlsFailure.withBackend(proxy.backend(), cause);
        proxy.unreachable(message);
        engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, message));
    }

    private @Nullable Leg peer(Leg leg) {
        return leg == client ? backend : client;
    }

    /** One of the two sockets. */
    final class Leg extends ChannelInboundHandlerAdapter {
        final SocketChannel channel;
        private final boolean isClient;

        /** What the engine works on, and how its indexes map to the buffer's. */
        private @Nullable ByteBuf chunk;

        private int offset;
        private int forwardFrom;
        private int forwardTo;

        /** What the engine has left for later, as it came; the client's only. Null when nothing is left. */
        private @Nullable Deque<ByteBuf> kept;

        private boolean paused;
        private boolean resumes;
        private boolean startsTls;
        boolean stalled;
        boolean held;

        Leg(SocketChannel channel, boolean isClient) {
            this.channel = channel;
            this.isClient = isClient;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            if (ended) {
                bytes.release();
                return;
            }
            int length = bytes.readableBytes();
            if (isClient) {
                traffic.countReceived(length);
            } else {
                traffic.countSent(length);
            }
            if (paused) {
                // Only what was on its way when reading was stopped.
                keep().addLast(bytes);
            } else {
                offer(bytes);
            }
        }

        private Deque<ByteBuf> keep() {
            Deque<ByteBuf> queue = kept;
            if (queue == null) {
                queue = new ArrayDeque<>(2);
                kept = queue;
            }
            return queue;
        }

        /** Lets the engine work on {@code bytes}, and does what it wants. Consumes the reference. */
        void offer(ByteBuf bytes) {
            int first = bytes.readerIndex();
            ByteBuffer view = bytes.nioBufferCount() == 1
                    ? bytes.internalNioBuffer(first, bytes.readableBytes())
                    : bytes.nioBuffer();
            chunk = bytes;
            offset = first - view.position();
            if (isClient) {
                engine.clientBytes(view);
            } else {
                if (opens) {
                    heard(view.duplicate());
                }
                engine.backendBytes(view);
            }
            Leg to = peer(this);
            if (to != null && forwardFrom + offset == first && forwardTo == view.limit()) {
                // Mostly all of it goes on as it came: without a slice, and with the reference that was ours.
                chunk = null;
                clearRange();
                write(to, bytes);
                afterEvent();
                return;
            }
            passOn();
            chunk = null;
            bytes.readerIndex(view.position() + offset);
            boolean tlsHere = startsTls;
            boolean left = bytes.isReadable() && !tlsHere;
            if (left) {
                keep().addFirst(bytes);
            }
            afterEvent();
            if (tlsHere && bytes.isReadable()) {
                // What is behind the SSLRequest is TLS already.
                channel.pipeline().fireChannelRead(bytes).fireChannelReadComplete();
            } else if (!left) {
                bytes.release();
            }
        }

        private void offerKept() {
            while (!paused && !ended && kept != null) {
                ByteBuf bytes = kept.pollFirst();
                if (bytes == null) {
                    kept = null;
                } else {
                    offer(bytes);
                }
            }
        }

        void forward(int from, int to) {
            if (forwardTo == from && forwardTo > forwardFrom) {
                forwardTo = to;
            } else {
                passOn();
                forwardFrom = from;
                forwardTo = to;
            }
        }

        /** Writes the range that is to be forwarded to the other side. */
        void passOn() {
            ByteBuf bytes = chunk;
            Leg to = peer(this);
            if (bytes != null && forwardTo > forwardFrom && to != null) {
                write(to, bytes.retainedSlice(forwardFrom + offset, forwardTo - forwardFrom));
            }
            clearRange();
        }

        private void clearRange() {
            forwardFrom = 0;
            forwardTo = 0;
        }

        /** Consumes the reference. */
        private void write(Leg to, ByteBuf range) {
            if (opens && !to.isClient) {
                holdBack(range.nioBuffer());
                range.release();
                return;
            }
            Channel target = to.channel;
            target.write(range, target.voidPromise());
            if (!target.isWritable()) {
                target.flush();
                if (!target.isWritable()) {
                    stalled = true;
                    updateReading();
                }
            }
        }

        /** What the engine asked for during the event that is over now. */
        void afterEvent() {
            if (opens) {
                afterEngine();
            }
            if (client.startsTls) {
                client.startsTls = false;
                startTls(client, protocol.clientTlsHandler(client.channel));
            }
            Leg other = backend;
            if (other != null && other.startsTls) {
                other.startsTls = false;
                startTls(other, protocol.backendTlsHandler(other.channel, proxy.backend()));
            }
            client.updateReading();
            if (client.resumes) {
                client.resumes = false;
                client.paused = false;
                client.updateReading();
                client.offerKept();
            }
        }

        private void startTls(Leg leg, SslHandler tls) {
            // The SSLRequest, or what was before it, goes out as it is.
            leg.channel.flush();
            leg.channel.pipeline().addFirst(tls);
            tls.handshakeFuture().addListener(outcome -> {
                if (ended) {
                    return;
                }
                if (outcome.cause() != null) {
                    tlsFailed(leg, outcome.cause());
                } else if (leg.isClient) {
                    engine.clientTlsStarted();
                } else {
                    engine.backendTlsStarted();
                }
                afterEvent();
                MySqlSession.this.flush();
            });
        }

        void updateReading() {
            if (!ended) {
                channel.config().setAutoRead(!stalled && !paused && !held && !(isClient && awaitsReason));
            }
        }

        /** Passes on what is to be passed on, and forgets the rest. */
        void finish() {
            Deque<ByteBuf> rest = kept;
            if (rest != null) {
                kept = null;
                rest.forEach(ByteBuf::release);
            }
            passOn();
            if (channel.isOpen()) {
                channel.config().setAutoRead(false);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            MySqlSession.this.flush();
            if (idleTimer != null) {
                idleTimer.touch();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            Leg from = peer(this);
            if (from != null && channel.isWritable() && from.stalled) {
                from.stalled = false;
                if (!ended) {
                    from.updateReading();
                }
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            closed("the connection was closed");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (ended) {
                return;
            }
            if (!(cause instanceof IOException) && !(cause.getCause() instanceof IOException)) {
                log.error("session {} from {}: unexpected failure", id, clientAddress, cause);
            }
            closed(cause.getMessage() == null ? cause.toString() : cause.getMessage());
        }

        private void closed(String why) {
            if (ended) {
                return;
            }
            if (isClient) {
                engine.clientClosed(why);
            } else if (backendAddress != null) {
                backendClosed(why);
            }
            MySqlSession.this.flush();
        }
    }
}

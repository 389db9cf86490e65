package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.TlsFailure;
import org.tiproxy.session.Login;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SessionEngine;
import org.tiproxy.session.SessionListener;
import org.tiproxy.session.SessionOutput;
import org.tiproxy.session.SessionPhase;
import org.tiproxy.session.TransactionState;
import org.tiproxy.wire.protocol.Command;

/**
 * Drives one {@link SessionEngine} over two Netty channels. The engine decides; this class owns sockets and buffers:
 * what was received is forwarded as slices of the buffer it was received into, never copied.
 *
 * <p>Back-pressure: a leg whose peer has more than the write buffer's high water mark to write stops reading.
 *
 * <p>Both channels live on the client's event loop; everything happens there unless a method says otherwise.
 */
final class MySqlSession extends ClientSession implements BackendGate.Visitor, SessionOutput, SessionListener {
    private static final Logger log = LoggerFactory.getLogger(MySqlSession.class);

    /** How long the last words may take to be written. */
    private static final long FLUSH_SECONDS = 5;

    private final MySqlProtocol protocol;
    private final Leg client;
    private final SessionEngine engine;

    private @Nullable Leg backend;
    private BackendGate.@Nullable Ticket ticket;
    private @Nullable Future<?> loginTimer;
    private boolean ended;

    // Written by the event loop, read by anybody.
    private volatile @Nullable Login login;
    private volatile @Nullable Command command;
    private volatile long commandBegan;
    private volatile TransactionState transaction = TransactionState.NONE;
    private volatile String schema = "";

    MySqlSession(ProxyListener proxy, MySqlProtocol protocol, SocketChannel channel) {
        super(proxy, channel);
        this.protocol = protocol;
        this.client = new Leg(channel, true);
        this.engine = new SessionEngine(protocol.config(), this, this, protocol::backendIdOf, protocol.virtualId(id));
    }

    /** Puts the session to work; the client's channel is registered and not reading yet. */
    void begin() {
        client.channel.pipeline().addLast(client);
        proxy.sessions().add(this);
        BackendGate.Ticket entered = proxy.gate().enter(this);
        ticket = entered;
        if (ended) {
            entered.close();
        }
    }

    // ---- the gate's answers, on any thread

    @Override
    public void admitted() {
        onLoop(() -> {
            if (!ended) {
                proxy.connector()
                        .connect(
                                client.channel.eventLoop(),
                                channel -> {
                                    Leg leg = new Leg(channel, false);
                                    backend = leg;
                                    return leg;
                                },
                                this::connected);
            }
        });
    }

    @Override
    public void refused(ProxyException cause) {
        onLoop(() -> {
            proxy.sessions().countFailed();
            engine.backendFailed(cause);
            flush();
        });
    }

    @Override
    public void backendGone(String reason) {
        // The operating system closes the socket; what the backend said before is read first.
        log.debug("session {}: {}", id, reason);
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
            String message = "backend " + proxy.backend() + " cannot be reached: "
                    + (outcome.cause() == null ? "no channel" : outcome.cause().getMessage());
            proxy.unreachable(message);
            engine.backendFailed(new ProxyException(ProxyError.BACKEND_UNREACHABLE, message));
            flush();
            return;
        }
        backendAddress = proxy.backend();
        engine.backendConnected();
        leg.updateReading();
        flush();
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
        if (target != null) {
            target.channel.write(Unpooled.copiedBuffer(bytes), target.channel.voidPromise());
        }
    }

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
        protocol.ended(end);
        Future<?> timer = loginTimer;
        if (timer != null) {
            timer.cancel(false);
        }
        client.closeAfterFlush();
        Leg other = backend;
        if (other != null) {
            other.closeAfterFlush();
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
        if (phase == SessionPhase.HANDSHAKE && loginTimer == null) {
            loginTimer = client.channel
                    .eventLoop()
                    .schedule(
                            () -> {
                                engine.loginTimedOut();
                                flush();
                            },
                            protocol.loginTimeout().toNanos(),
                            TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void loggedIn(Login who) {
        Future<?> timer = loginTimer;
        if (timer != null) {
            timer.cancel(false);
        }
        login = who;
        schema = who.schema();
    }

    @Override
    public void commandBegun(Command begun) {
        protocol.countCommand();
        command = begun;
        commandBegan = proxy.ticker().nanoTime();
    }

    @Override
    public void commandEnded(Command over) {
        command = engine.commandInFlight();
    }

    @Override
    public void transactionChanged(TransactionState state) {
        transaction = state;
    }

    @Override
    public void schemaChanged(String name) {
        schema = name;
    }

    // ---- for operators and other sessions, on any thread

    /** The backend's thread id; 0 before the login. */
    long backendConnectionId() {
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
        return transaction.name();
    }

    @Override
    public boolean tls() {
        Login who = login;
        return who != null && who.clientTls();
    }

    @Override
    public void close(ProxyError cause, String reason) {
        onLoop(() -> {
            engine.kill(new ProxyException(cause, reason));
            flush();
        });
    }

    private void onLoop(Runnable work) {
        if (client.channel.eventLoop().inEventLoop()) {
            work.run();
        } else {
            client.channel.eventLoop().execute(work);
        }
    }

    private void flush() {
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
    private final class Leg extends ChannelInboundHandlerAdapter {
        private final SocketChannel channel;
        private final boolean isClient;

        /** What the engine works on, and how its indexes map to the buffer's. */
        private @Nullable ByteBuf chunk;

        private int offset;
        private int forwardFrom;
        private int forwardTo;

        /** What the engine has left for later; the client's only. */
        private @Nullable ByteBuf kept;

        private boolean paused;
        private boolean resumes;
        private boolean startsTls;
        private boolean stalled;

        Leg(SocketChannel channel, boolean isClient) {
            this.channel = channel;
            this.isClient = isClient;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            int length = bytes.readableBytes();
            if (isClient) {
                traffic.countReceived(length);
            } else {
                traffic.countSent(length);
            }
            ByteBuf before = kept;
            if (before != null) {
                kept = Unpooled.wrappedBuffer(before, bytes);
                if (!paused) {
                    offerKept();
                }
            } else if (paused) {
                kept = bytes;
            } else {
                offer(bytes);
            }
        }

        /** Lets the engine work on {@code bytes}, and does what it wants. Consumes the reference. */
        private void offer(ByteBuf bytes) {
            int first = bytes.readerIndex();
            ByteBuffer view = bytes.nioBufferCount() == 1
                    ? bytes.internalNioBuffer(first, bytes.readableBytes())
                    : bytes.nioBuffer();
            chunk = bytes;
            offset = first - view.position();
            if (isClient) {
                engine.clientBytes(view);
            } else {
                engine.backendBytes(view);
            }
            passOn();
            chunk = null;
            bytes.readerIndex(view.position() + offset);
            boolean tlsHere = startsTls;
            if (bytes.isReadable() && !tlsHere) {
                kept = bytes;
            }
            afterEvent();
            if (tlsHere && bytes.isReadable()) {
                // What is behind the SSLRequest is TLS already.
                channel.pipeline().fireChannelRead(bytes).fireChannelReadComplete();
            } else if (!bytes.isReadable()) {
                bytes.release();
            }
        }

        private void offerKept() {
            ByteBuf bytes = kept;
            if (bytes != null) {
                kept = null;
                offer(bytes);
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
                ByteBuf range = bytes.retainedSlice(forwardFrom + offset, forwardTo - forwardFrom);
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
            forwardFrom = 0;
            forwardTo = 0;
        }

        /** What the engine asked for during the event that is over now. */
        private void afterEvent() {
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
            channel.config().setAutoRead(!stalled && !paused);
        }

        void closeAfterFlush() {
            ByteBuf rest = kept;
            if (rest != null) {
                kept = null;
                rest.release();
            }
            passOn();
            channel.config().setAutoRead(false);
            SslHandler tls = channel.pipeline().get(SslHandler.class);
            boolean canWrite = tls == null || tls.handshakeFuture().isSuccess();
            if (channel.isActive() && canWrite) {
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
                channel.eventLoop().schedule(() -> channel.close(), FLUSH_SECONDS, TimeUnit.SECONDS);
            } else {
                channel.close();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            MySqlSession.this.flush();
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
                engine.backendClosed(why);
            }
            MySqlSession.this.flush();
        }
    }
}

package org.tiproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.socket.SocketChannel;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.pool.AcquireException;
import org.tiproxy.pool.Lease;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendLogin;
import org.tiproxy.session.BackendRelease;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.ClientOrigin;
import org.tiproxy.session.ConnectionCleaner;
import org.tiproxy.session.Login;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.session.PooledSessionEngine;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SessionPhase;
import org.tiproxy.wire.server.ErrPacket;

/**
 * A session that borrows its backend connection from a {@link BackendPool} when its client has said who it is, and gives it
 * back when the client is gone.
 */
final class PooledMySqlSession extends MySqlSession {
    private static final Logger log = LoggerFactory.getLogger(PooledMySqlSession.class);

    /** How often in a row a connection may turn out to be dead after it was acquired. */
    private static final int MAX_ATTEMPTS = 3;

    /** By then, a backend that is not overloaded has noticed that a connection was closed. */
    private static final long ROOM_AFTER_MILLIS = 20;

    private final BackendPool pool;
    private final PooledSessionEngine pooled;
    private final SocketChannel channel;

    /** The connection that was opened to be greeted by it, until we need one. */
    private @Nullable Lease<PooledConnection> greeted;

    private @Nullable CompletableFuture<Lease<PooledConnection>> pending;
    private @Nullable Lease<PooledConnection> lease;
    /** The lease's connection; read by anybody. */
    private volatile @Nullable PooledConnection held;

    private @Nullable BackendRequest served;

    /** How the conversation over the connection has begun; null where the backend authenticates the client. */
    private @Nullable Opening opening;

    PooledMySqlSession(ProxyListener proxy, MySqlProtocol protocol, BackendPool pool, SocketChannel channel) {
        super(
                proxy,
                protocol,
                channel,
                session -> new PooledSessionEngine(
                        pool.sessions(),
                        session,
                        session,
                        session.killTargets(),
                        MySqlProtocol.virtualId(session.id),
                        () -> originOf(session, pool, channel)));
        this.pool = pool;
        this.channel = channel;
        this.pooled = (PooledSessionEngine) engine;
    }

    /** What comes with a PROXY header has come a longer way than from the socket's peer. */
    private static ClientOrigin originOf(MySqlSession session, BackendPool pool, SocketChannel channel) {
        boolean local = channel.remoteAddress() != null
                && channel.remoteAddress().getAddress().isLoopbackAddress()
                && !session.proxy.proxyProtocol().isExpectedFrom(channel.remoteAddress());
        return new ClientOrigin(
                session.clientAddress.host(), local || pool.config().trustsPlainNetworks());
    }

    // ---- the greeting

    @Override
    void connectBackend() {
        proxy.backendAdmits();
        pool.greeting()
                .whenComplete((known, failure) -> onLoop(() -> {
                    if (ended) {
                        if (known != null) {
                            known.giveUp();
                        }
                        return;
                    }
                    if (failure != null) {
                        fail(failure);
                    } else {
                        greeted = known.lease();
                        pooled.greet(known.packet());
                    }
                    client.afterEvent();
                    flush();
                }));
    }

    @Override
    public void phaseChanged(SessionPhase phase) {
        if (phase == SessionPhase.ACQUIRING) {
            // The client is not slow: the pool has a time-out of its own.
            stopLoginTimer();
        } else if (phase == SessionPhase.AUTHENTICATION && served != null) {
            startLoginTimer();
        } else {
            super.phaseChanged(phase);
        }
    }

    // ---- the pool

    @Override
    public void acquireBackend(BackendRequest request) {
        if (request.credentials() != null) {
            // The client is who it says to be.
            leaveHalfOpen();
        }
        served = request;
        acquire(request, 1);
    }

    private void acquire(BackendRequest request, int attempt) {
        CompletableFuture<Lease<PooledConnection>> acquiring = pool.acquire(request, takeGreeted());
        pending = acquiring;
        // Never within this call, which the engine makes.
        acquiring.whenComplete((acquired, failure) -> channel.eventLoop().execute(() -> {
            if (acquired == null) {
                if (pending == acquiring) {
                    pending = null;
                    fail(failure);
                    client.afterEvent();
                    flush();
                }
            } else if (pending != acquiring) {
                BackendPool.returnUnwanted(acquired);
            } else {
                acquired.connection()
                        .moveTo(channel.eventLoop(), lost -> prepare(acquired, request, attempt, acquiring, lost));
            }
        }));
    }

    private @Nullable Lease<PooledConnection> takeGreeted() {
        Lease<PooledConnection> taken = greeted;
        greeted = null;
        return taken;
    }

    /** Makes the connection what the request wants. */
    private void prepare(
            Lease<PooledConnection> acquired,
            BackendRequest request,
            int attempt,
            CompletableFuture<?> acquiring,
            @Nullable String lostOnTheWay) {
        if (lostOnTheWay != null) {
            prepared(acquired, request, attempt, acquiring, lostOnTheWay, null, false);
            return;
        }
        if (pending != acquiring) {
            BackendPool.returnUnwanted(acquired);
            return;
        }
        try {
            talk(acquired, request, attempt, acquiring);
        } catch (RuntimeException e) {
            // For one, TLS that cannot be set up. Nobody else would tell the client.
            log.error("session {} from {}: cannot prepare {}", id, clientAddress, acquired, e);
            acquired.releaseBroken("it could not be prepared: " + e);
            if (pending == acquiring) {
                pending = null;
                fail(e);
                client.afterEvent();
                flush();
            }
        }
    }

    private void talk(
            Lease<PooledConnection> acquired, BackendRequest request, int attempt, CompletableFuture<?> acquiring) {
        PooledConnection connection = acquired.connection();
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IllegalStateException("a connection that has not greeted was lent");
        }
        if (!connection.opening().isEmpty() && !request.schema().equals(info.schema())) {
            // What was said ahead was said for sessions in the other schema.
            BackendRequest before = new BackendRequest(request.key(), info.schema(), request.credentials(), false);
            pool.prepare(connection, new BackendRelease(info, true, "", false), before, List.of(), (lost, failure) -> {
                String why = lost == null ? failure : lost;
                if (why == null) {
                    prepare(acquired, request, attempt, acquiring, null);
                } else {
                    prepared(acquired, request, attempt, acquiring, why, null, false);
                }
            });
            return;
        }
        if (info.isLoggedIn()) {
            ConnectionCleaner cleaner =
                    ConnectionCleaner.beforeUse(info, request, BackendPool.ATTRIBUTES, connection::send);
            connection.talk(cleaner, pool.talkTimeout(), lost -> {
                boolean clean = cleaner.state() == ConnectionCleaner.State.CLEAN;
                if (lost == null && cleaner.state() != ConnectionCleaner.State.FAILED) {
                    connection.became(cleaner.result());
                }
                prepared(
                        acquired,
                        request,
                        attempt,
                        acquiring,
                        lost,
                        clean ? null : cleaner::failure,
                        !clean && cleaner.state() == ConnectionCleaner.State.REFUSED);
            });
            return;
        }
        LoginTalk talk = new LoginTalk(protocol, connection, request, info.greeting(), acquired.address());
        connection.talk(talk, pool.talkTimeout(), lost -> {
            boolean done = talk.login.state() == BackendLogin.State.DONE;
            if (lost == null && done) {
                connection.became(talk.login.result());
                if (talk.login.result().isLoggedIn()
                        && talk.login.result().collationId() != request.key().collationId()) {
                    // A login has room for one byte of it.
                    talk(acquired, request, attempt, acquiring);
                    return;
                }
            }
            prepared(acquired, request, attempt, acquiring, lost, done ? null : talk.login::failure, false);
        });
    }

    private interface Refusal {
        ErrPacket failure();
    }

    /** The connection is what the request wants, or will not be. */
    private void prepared(
            Lease<PooledConnection> acquired,
            BackendRequest request,
            int attempt,
            CompletableFuture<?> acquiring,
            @Nullable String lost,
            @Nullable Refusal refusal,
            boolean keep) {
        boolean wanted = pending == acquiring;
        if (lost != null) {
            acquired.releaseBroken(lost);
            if (wanted && attempt < MAX_ATTEMPTS) {
                acquire(request, attempt + 1);
            } else if (wanted) {
                pending = null;
                fail(new ProxyException(
                        ProxyError.BACKEND_LOST,
                        "backend " + acquired.address() + " was lost " + attempt + " times in a row: " + lost));
            }
        } else if (refusal != null) {
            ErrPacket err = refusal.failure();
            if (!keep) {
                acquired.retire("the login was refused: " + BackendPool.describe(err));
            }
            acquired.release();
            if (wanted
                    && attempt < MAX_ATTEMPTS
                    && pool.mayGetRoom(acquired.address(), request.key().user(), err)) {
                // The backend has to notice first.
                channel.eventLoop()
                        .schedule(
                                () -> {
                                    if (pending == acquiring) {
                                        acquire(request, attempt + 1);
                                    }
                                },
                                ROOM_AFTER_MILLIS,
                                TimeUnit.MILLISECONDS);
            } else if (wanted) {
                pending = null;
                pooled.backendRefused(err);
            }
        } else if (wanted) {
            pending = null;
            lend(acquired);
        } else {
            BackendPool.returnUnwanted(acquired);
        }
        if (wanted) {
            client.afterEvent();
            flush();
        }
    }

    private void lend(Lease<PooledConnection> acquired) {
        PooledConnection connection = acquired.connection();
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IllegalStateException("a connection that has not greeted was lent");
        }
        Leg leg = new Leg(connection.channel, false);
        connection.attach(leg);
        connection.aim().lentTo(id);
        held = connection;
        lease = acquired;
        backend = leg;
        backendAddress = acquired.address();
        if (served != null && served.credentials() != null) {
            opening = new Opening(new Stage(), connection.opening(), info.capabilities());
            opens = true;
        }
        if (!pooled.backendAcquired(info)) {
            giveBack(leg);
            BackendPool.returnUnwanted(acquired);
        } else if (backend == leg) {
            leg.updateReading();
        }
    }

    @Override
    public void releaseBackend(BackendRelease release) {
        Leg leg = backend;
        Lease<PooledConnection> borrowed = lease;
        BackendRequest request = served;
        if (leg == null || borrowed == null || request == null) {
            throw new IllegalStateException("no backend connection to release");
        }
        Opening spoken = opening;
        if (spoken != null && spoken.isComingBack()) {
            endOpening();
            forget();
            borrowed.retire("its session has ended while it was cleaned");
            borrowed.release();
            return;
        }
        giveBack(leg);
        if (spoken != null && spoken.isUnused() && release.reusable()) {
            pool.takeBackUnused(borrowed);
        } else {
            pool.takeBack(borrowed, release, request, spoken == null ? List.of() : spoken.said());
        }
    }

    private void giveBack(Leg leg) {
        client.passOn();
        endOpening();
        leg.passOn();
        client.channel.flush();
        if (lease != null) {
            lease.connection().detach(leg);
            if (lease.connection().aim().isKilledOnReturn()) {
                lease.retire("a KILL was sent to it, which may arrive later");
            }
        }
        forget();
    }

    private void forget() {
        held = null;
        lease = null;
        backend = null;
        backendAddress = null;
        client.stalled = false;
        client.updateReading();
    }

    // ---- the opening of the conversation

    @Override
    void holdBack(ByteBuffer bytes) {
        if (opening != null) {
            opening.hold(bytes);
        }
    }

    @Override
    void heard(ByteBuffer bytes) {
        Opening current = opening;
        Lease<PooledConnection> borrowed = lease;
        if (current != null && borrowed != null) {
            List<OpeningStatement> longer = current.heard(bytes);
            if (!longer.isEmpty()) {
                borrowed.connection().setOpening(longer);
            }
        }
    }

    @Override
    void afterEngine() {
        Opening current = opening;
        if (current != null) {
            current.play();
            opens = opening == current && !current.isOver();
            client.held = opens && current.isFull();
        }
    }

    private void endOpening() {
        Opening current = opening;
        opening = null;
        opens = false;
        client.held = false;
        if (current != null) {
            current.close();
        }
    }

    private final class Stage implements Opening.Stage {
        @Override
        public void answer(ByteBuf bytes) {
            Leg leg = backend;
            if (leg == null) {
                bytes.release();
            } else {
                traffic.countSent(bytes.readableBytes());
                leg.offer(bytes);
            }
        }

        @Override
        public void send(ByteBuf bytes) {
            Leg leg = backend;
            if (leg == null) {
                bytes.release();
            } else {
                leg.channel.write(bytes, leg.channel.voidPromise());
            }
        }

        @Override
        public void bringBack() {
            Opening current = opening;
            Leg leg = backend;
            Lease<PooledConnection> borrowed = lease;
            BackendRequest request = served;
            if (current == null || leg == null || borrowed == null || request == null) {
                throw new IllegalStateException("no backend connection to bring back");
            }
            PooledConnection connection = borrowed.connection();
            BackendConnectionInfo info = connection.info();
            if (info == null) {
                throw new IllegalStateException("a connection that has not greeted was lent");
            }
            connection.detach(leg);
            List<OpeningStatement> said = List.copyOf(current.said());
            pool.prepare(connection, new BackendRelease(info, true, "", false), request, said, (lost, failure) -> {
                // Otherwise the session has ended meanwhile.
                if (opening == current) {
                    if (lost != null) {
                        borrowed.markBroken(lost);
                    }
                    broughtBack(current, connection, said, lost == null ? failure : lost);
                }
            });
        }
    }

    private void broughtBack(
            Opening current, PooledConnection connection, List<OpeningStatement> said, @Nullable String failure) {
        if (failure != null) {
            backendClosed(failure);
        } else if (!connection.opening().equals(said)) {
            backendClosed("the backend answers the client's opening statements in another way than before");
        } else {
            Leg leg = new Leg(connection.channel, false);
            connection.attach(leg);
            backend = leg;
            current.broughtBack(connection.opening());
            leg.updateReading();
        }
        client.afterEvent();
        flush();
    }

    @Override
    public long aimKill() {
        PooledConnection target = held;
        if (target == null || login() == null || !target.aim().at(id)) {
            return 0;
        }
        return target.threadId();
    }

    @Override
    boolean killElsewhere(MySqlSession victim, LongFunction<String> statement) {
        BackendRequest own = served;
        HostPort address = victim.backendAddress;
        if (address == null) {
            return false;
        }
        if (own == null || own.credentials() == null) {
            return super.killElsewhere(victim, statement);
        }
        long thread = victim.aimKill();
        if (thread == 0) {
            return false;
        }
        pool.kill(own, address, statement.apply(thread));
        return true;
    }

    @Override
    public void loggedIn(Login who) {
        if (lease != null) {
            lease.connection().userChanged(who.user());
        }
        super.loggedIn(who);
    }

    @Override
    public void end(SessionEnd end) {
        CompletableFuture<?> acquiring = pending;
        pending = null;
        super.end(end);
        if (acquiring != null) {
            acquiring.cancel(false);
        }
        Lease<PooledConnection> unused = takeGreeted();
        if (unused != null) {
            BackendPool.giveUp(unused);
        }
    }

    private void fail(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        proxy.sessions().countFailed();
        String gone = backendGone;
        if (gone != null) {
            engine.backendFailed(new ProxyException(ProxyError.BACKEND_LOST, gone));
        } else if (cause instanceof ProxyException known) {
            engine.backendFailed(known);
        } else {
            String message = String.valueOf(cause.getMessage());
            boolean full =
                    cause instanceof AcquireException refusal && refusal.reason() == AcquireException.Reason.TIMEOUT;
            proxy.unreachable(message);
            engine.backendFailed(new ProxyException(
                    full ? ProxyError.TOO_MANY_CONNECTIONS : ProxyError.BACKEND_UNREACHABLE, message));
        }
    }
}

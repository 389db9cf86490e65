package org.tiproxy.net;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SharedMySqlConnections;
import org.tiproxy.pool.AddressSource;
import org.tiproxy.pool.ConnectionInfo;
import org.tiproxy.pool.IdleListener;
import org.tiproxy.pool.KeyRefusedException;
import org.tiproxy.pool.KeyedConnectionFactory;
import org.tiproxy.pool.KeyedPool;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.NoRoomException;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.Scheduler;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendLogin;
import org.tiproxy.session.BackendRelease;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.BackendTalk;
import org.tiproxy.session.ConnectionLimits;
import org.tiproxy.session.ConnectionPreparation;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.session.PoolKey;
import org.tiproxy.session.PooledConfig;
import org.tiproxy.session.TlsMode;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * The backend connections that MySQL sessions share. A new one has greeted and nothing more: the login is made for the
 * session that gets it, so that a wrong password is that session's matter and no failure of the backend.
 *
 * <p>Thread-safe.
 */
final class BackendPool implements SharedMySqlConnections {
    static final ConnectionAttributes ATTRIBUTES = ConnectionAttributes.of(Map.of("program_name", "tiproxy"));

    private static final PoolKey NOBODY = new PoolKey("", 0, 0);

    /**
     * What connections must have in common to stand in for each other.
     *
     * @param credentials so that a login with an older password is not lent; null in pass-through
     * @param fresh an object of its own for a session that no other's connection will do for
     */
    private record Key(
            PoolKey key,
            @Nullable BackendCredentials credentials,
            @Nullable Object fresh) {
        /** For operators. */
        @Override
        public String toString() {
            String who = key.user().isEmpty() ? "" : "user=" + key.user() + " ";
            return who + "capabilities=0x" + Long.toHexString(key.capabilities())
                    + (key.collationId() == 0 ? "" : " collation=" + key.collationId())
                    + (fresh == null ? "" : " not shared");
        }
    }

    /**
     * What clients are greeted with.
     *
     * @param lease the connection that it was read from, if that was opened for this; the caller uses it or gives it up
     */
    record Greeting(HandshakeV10 packet, @Nullable Lease<PooledConnection> lease) {
        void giveUp() {
            if (lease != null) {
                BackendPool.giveUp(lease);
            }
        }
    }

    private static final Logger log = LoggerFactory.getLogger(BackendPool.class);

    private final PoolingConfig config;
    private final PooledConfig sessions;
    private final MySqlProtocol protocol;
    private final Factory factory = new Factory();
    private final BackendConnector connector;
    private final EventLoopGroup loops;
    private final KeyedPool<Key, PooledConnection> pool;
    private final AtomicReference<@Nullable CompletableFuture<HandshakeV10>> firstGreeting = new AtomicReference<>();
    private volatile @Nullable HandshakeV10 greeting;

    BackendPool(
            PoolingConfig config,
            MySqlProtocol protocol,
            AddressSource addresses,
            BackendConnector connector,
            EventLoopGroup loops,
            Ticker ticker) {
        this.config = config;
        this.sessions = new PooledConfig(protocol.config(), config.users(), new SecureRandom());
        this.protocol = protocol;
        this.connector = connector;
        this.loops = loops;
        this.pool = KeyedPool.create(new Factory(), addresses, config.pool(), null, ticker, scheduler(loops));
    }

    static Scheduler scheduler(EventLoopGroup loops) {
        return (task, delayNanos) -> {
            try {
                loops.next().schedule(task, delayNanos, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException e) {
                // The loops have ended, and all connections with them.
            }
        };
    }

    /** The calling thread's loop, which is that of the session that asks; any other if it is none. */
    static EventLoop ownLoop(EventLoopGroup loops) {
        for (EventExecutor loop : loops) {
            if (loop.inEventLoop()) {
                return (EventLoop) loop;
            }
        }
        return loops.next();
    }

    PoolingConfig config() {
        return config;
    }

    PooledConfig sessions() {
        return sessions;
    }

    @Override
    public String mode() {
        return config.mode().name().toLowerCase(Locale.ROOT);
    }

    @Override
    public PoolControl control() {
        return pool.control();
    }

    /** How long logins and cleanings may take. */
    Duration talkTimeout() {
        return pool.control().config().probeTimeout();
    }

    void close() {
        pool.close();
    }

    /** What the backend greets with, as known from the last new connection; from one that is opened for it if need be. */
    CompletableFuture<Greeting> greeting() {
        HandshakeV10 known = greeting;
        if (known != null) {
            return CompletableFuture.completedFuture(new Greeting(known, null));
        }
        CompletableFuture<HandshakeV10> asked = new CompletableFuture<>();
        CompletableFuture<HandshakeV10> before = firstGreeting.compareAndExchange(null, asked);
        if (before != null) {
            return before.thenApply(packet -> new Greeting(packet, null));
        }
        return pool.acquireAsync(new Key(NOBODY, null, new Object())).handle((lease, failure) -> {
            firstGreeting.set(null);
            if (lease == null) {
                asked.completeExceptionally(failure);
                throw failure instanceof CompletionException same ? same : new CompletionException(failure);
            }
            try {
                HandshakeV10 read = greetingOf(lease.connection());
                asked.complete(read);
                return new Greeting(read, lease);
            } catch (RuntimeException e) {
                asked.completeExceptionally(e);
                lease.releaseBroken(String.valueOf(e.getMessage()));
                throw e;
            }
        });
    }

    /** The connection that was opened for the greeting is not needed after all. */
    static void giveUp(Lease<PooledConnection> greeted) {
        greeted.retire("its client has left before it had logged in");
        greeted.release();
    }

    /**
     * The session that a connection was prepared for has ended meanwhile. A connection on which nobody is logged in is not
     * kept: the backend closes it soon, and in pass-through its TLS was begun in the name of one client.
     */
    static void returnUnwanted(Lease<PooledConnection> prepared) {
        if (isLoggedIn(prepared.connection())) {
            prepared.release();
        } else {
            giveUp(prepared);
        }
    }

    private static boolean isLoggedIn(PooledConnection connection) {
        BackendConnectionInfo info = connection.info();
        return info != null && info.isLoggedIn();
    }

    private static HandshakeV10 greetingOf(PooledConnection connection) {
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IllegalStateException("it has not greeted");
        }
        return info.greeting();
    }

    private static Key keyOf(BackendRequest request) {
        return new Key(request.key(), request.credentials(), request.fresh() ? new Object() : null);
    }

    /**
     * Asks for a connection that can be made what the request wants.
     *
     * @param greeted one that was opened for the greeting, and is used if it still works
     */
    CompletableFuture<Lease<PooledConnection>> acquire(
            BackendRequest request, @Nullable Lease<PooledConnection> greeted) {
        Key key = keyOf(request);
        if (greeted != null && greeted.connection().isAlive()) {
            pool.rekey(greeted, key);
            return CompletableFuture.completedFuture(greeted);
        }
        if (greeted != null) {
            greeted.releaseBroken(greeted.connection().whyLost());
        }
        return pool.acquireAsync(key);
    }

    /**
     * Closes an idle connection for which the backend has refused another one: of the same user if that one has too many, of
     * anybody if the backend has.
     *
     * @return whether to ask again in a moment: one was closed, or is in use, and may just be being cleaned
     */
    boolean mayGetRoom(HostPort address, String user, ErrPacket refusal) {
        boolean full = ConnectionLimits.isServerFull(refusal);
        if (!full && !ConnectionLimits.isUserFull(refusal)) {
            return false;
        }
        Predicate<ConnectionInfo> inTheWay = one -> one.address().equals(address)
                && one.connection() instanceof PooledConnection open
                && (full || open.user().equals(user));
        return control().evictLongestIdle(inTheWay)
                || control().listConnections().stream().anyMatch(inTheWay);
    }

    /** Sends a KILL over a connection of its own, as the user that a request names; the outcome is only logged. */
    void kill(BackendRequest as, HostPort address, String sql) {
        factory.connectAhead(keyOf(as), address, talkTimeout()).whenComplete((connection, failure) -> {
            if (connection == null) {
                log.warn("{} - cannot send a KILL to {}: {}", control().config().name(), address, failure.getMessage());
                return;
            }
            PingTalk talk = new PingTalk();
            connection.send(ComQuery.of(sql).encode().toPacket(0));
            connection.talk(talk, talkTimeout(), lost -> {
                log.debug(
                        "{} - KILL at {}: {}",
                        control().config().name(),
                        address,
                        lost == null ? (talk.isOk() ? "OK" : "ERR") : lost);
                connection.close();
            });
        });
    }

    /**
     * Cleans a connection and lends it to others, or has it closed. On the connection's event loop.
     *
     * @param said with what the session has opened; if the one before it has opened likewise, the connection is made ready
     *     for a third one
     */
    void takeBack(
            Lease<PooledConnection> lease, BackendRelease release, BackendRequest served, List<OpeningStatement> said) {
        PooledConnection connection = lease.connection();
        connection.became(release.info());
        if (!connection.isAlive()) {
            lease.releaseBroken(release.reason().isEmpty() ? "closed by the backend" : release.reason());
        } else if (!release.reusable() || served.fresh()) {
            lease.retire(release.reusable() ? "it is not shared" : release.reason());
            lease.release();
        } else if (!release.info().isLoggedIn()) {
            lease.retire("nobody has logged in");
            lease.release();
        } else if (lease.isDoomed()) {
            lease.release();
        } else {
            prepare(
                    connection,
                    release,
                    served,
                    connection.hasSaid(said, served.schema()) ? said : List.of(),
                    (lost, failure) -> {
                        if (lost != null) {
                            lease.markBroken(lost);
                        } else if (failure != null) {
                            lease.retire(failure);
                        }
                        lease.release();
                    });
        }
    }

    /**
     * Takes back a connection that its session has left as it was. For the pool, a connection that comes back is one that
     * works: where that is not known, the backend is asked. On the connection's event loop.
     */
    void takeBackUnused(Lease<PooledConnection> lease) {
        PooledConnection connection = lease.connection();
        if (!connection.isAlive()) {
            lease.releaseBroken(connection.whyLost());
            return;
        }
        connection.rest();
        Duration bypass = control().config().probeBypass();
        if (lease.isDoomed() || System.nanoTime() - connection.lastHeard() <= bypass.toNanos()) {
            lease.release();
            return;
        }
        PingTalk talk = new PingTalk();
        connection.send(ComSimple.encode(Command.COM_PING).toPacket(0));
        connection.talk(talk, talkTimeout(), lost -> {
            if (lost != null) {
                lease.markBroken(lost);
            } else if (!talk.isOk()) {
                lease.markBroken("its COM_PING was not answered with OK");
            }
            lease.release();
        });
    }

    /** Hears how it went: both are null if it went well. */
    interface Prepared {
        void accept(@Nullable String lost, @Nullable String failure);
    }

    /** Cleans a connection, and runs statements on it. On the connection's event loop. */
    void prepare(
            PooledConnection connection,
            BackendRelease release,
            BackendRequest served,
            List<OpeningStatement> statements,
            Prepared then) {
        connection.setOpening(List.of());
        List<Bytes> packets = statements.stream().map(OpeningStatement::packet).toList();
        ConnectionPreparation work =
                ConnectionPreparation.begin(release, served, packets, ATTRIBUTES, connection::send);
        connection.talk(work, talkTimeout(), lost -> {
            String failure = lost == null ? work.failure() : null;
            if (lost == null && failure == null) {
                connection.became(work.result());
                connection.setOpening(work.opening());
            }
            then.accept(lost, failure);
        });
    }

    static String describe(ErrPacket err) {
        return "ERR " + err.code() + " " + err.message();
    }

    /** A new connection's first packet. */
    private static final class GreetingTalk implements BackendTalk {
        final BackendLogin login;

        GreetingTalk(PooledConnection connection) {
            login = new BackendLogin(
                    new BackendRequest(NOBODY, "", null, true), TlsMode.DISABLED, ATTRIBUTES, connection::send);
        }

        @Override
        public void bytes(ByteBuffer chunk) {
            login.bytes(chunk);
        }

        @Override
        public boolean isOver() {
            return login.state() == BackendLogin.State.DONE || login.state() == BackendLogin.State.FAILED;
        }
    }

    /** COM_PING. */
    private static final class PingTalk implements BackendTalk {
        // Length, sequence id, header.
        private final byte[] answer = new byte[5];
        private int count;
        private int length = Integer.MAX_VALUE;

        @Override
        public void bytes(ByteBuffer chunk) {
            while (chunk.hasRemaining()) {
                byte next = chunk.get();
                if (count < answer.length) {
                    answer[count] = next;
                }
                count++;
                if (count == answer.length) {
                    length = Bytes.of(answer).at(0) & 0xff;
                }
            }
        }

        @Override
        public boolean isOver() {
            return count >= answer.length && count >= length + 4;
        }

        boolean isOk() {
            return count == length + 4 && answer[4] == OkPacket.HEADER;
        }
    }

    private final class Factory implements KeyedConnectionFactory<Key, PooledConnection> {
        @Override
        public CompletableFuture<PooledConnection> connect(Key key, HostPort address, Duration timeout) {
            CompletableFuture<PooledConnection> opened = new CompletableFuture<>();
            PooledConnection[] made = new PooledConnection[1];
            connector.connect(
                    ownLoop(loops),
                    address,
                    channel -> {
                        made[0] = new PooledConnection(channel);
                        return made[0];
                    },
                    outcome -> {
                        PooledConnection connection = made[0];
                        if (!outcome.isSuccess() || connection == null) {
                            opened.completeExceptionally(
                                    outcome.cause() == null
                                            ? new IllegalStateException("no channel")
                                            : outcome.cause());
                        } else {
                            greet(connection, timeout, opened);
                        }
                    });
            return opened;
        }

        private void greet(PooledConnection connection, Duration timeout, CompletableFuture<PooledConnection> opened) {
            SocketChannel channel = connection.channel;
            opened.whenComplete((same, failure) -> {
                if (failure != null) {
                    channel.close();
                }
            });
            channel.config().setAutoRead(true);
            GreetingTalk talk = new GreetingTalk(connection);
            connection.talk(talk, timeout, lost -> {
                if (lost != null) {
                    opened.completeExceptionally(new IOException("it has not greeted: " + lost));
                } else if (talk.login.state() == BackendLogin.State.FAILED) {
                    ErrPacket err = talk.login.failure();
                    opened.completeExceptionally(
                            ConnectionLimits.isServerFull(err)
                                    ? new NoRoomException(describe(err))
                                    : new IOException(describe(err)));
                } else {
                    BackendConnectionInfo info = talk.login.result();
                    connection.became(info);
                    greeting = info.greeting();
                    opened.complete(connection);
                }
            });
        }

        @Override
        public boolean opensAhead(Key key) {
            return key.credentials() != null && key.fresh() == null;
        }

        /** Logged in at once: a backend does not leave a connection alone that waits for a login. */
        @Override
        public CompletableFuture<PooledConnection> connectAhead(Key key, HostPort address, Duration timeout) {
            CompletableFuture<PooledConnection> ready = new CompletableFuture<>();
            CompletableFuture<PooledConnection> greeted = connect(key, address, timeout);
            greeted.whenComplete((connection, failure) -> {
                if (connection == null) {
                    ready.completeExceptionally(failure);
                    return;
                }
                BackendRequest request = new BackendRequest(key.key(), "", key.credentials(), false);
                LoginTalk talk = new LoginTalk(protocol, connection, request, greetingOf(connection), address);
                connection.talk(talk, timeout, lost -> {
                    if (lost == null && talk.login.state() == BackendLogin.State.DONE) {
                        connection.became(talk.login.result());
                        ready.complete(connection);
                    } else {
                        ready.completeExceptionally(
                                lost != null
                                        ? new IOException("the login failed: " + lost)
                                        : new KeyRefusedException(describe(talk.login.failure())));
                    }
                });
            });
            ready.whenComplete((connection, failure) -> {
                if (failure != null && !greeted.cancel(false)) {
                    greeted.thenAccept(PooledConnection::close);
                }
            });
            return ready;
        }

        /** A backend does not wait for a login for long, and counts against the proxy's host who does not log in. */
        @Override
        public boolean canStayIdle(PooledConnection connection) {
            return isLoggedIn(connection);
        }

        @Override
        public CompletableFuture<Boolean> probe(PooledConnection connection, Duration timeout) {
            CompletableFuture<Boolean> answered = new CompletableFuture<>();
            connection.channel.eventLoop().execute(() -> {
                if (!isLoggedIn(connection)) {
                    // It waits for a login, and understands nothing else.
                    answered.complete(connection.isAlive());
                    return;
                }
                PingTalk talk = new PingTalk();
                connection.send(ComSimple.encode(Command.COM_PING).toPacket(0));
                connection.talk(talk, timeout, lost -> {
                    if (lost == null) {
                        answered.complete(talk.isOk());
                    } else {
                        answered.completeExceptionally(new IOException(lost));
                    }
                });
            });
            return answered;
        }

        @Override
        public void close(PooledConnection connection) {
            connection.close();
        }

        @Override
        public void idle(PooledConnection connection, IdleListener listener) {
            connection.watch(listener);
        }

        @Override
        public boolean reuse(PooledConnection connection) {
            return connection.endWatch();
        }
    }
}

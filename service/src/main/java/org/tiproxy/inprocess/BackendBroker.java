package org.tiproxy.inprocess;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRelease;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.ConnectionCleaner;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * Gets a session its backend connection, and gives it back. One thread at a time, except for {@link #cancel} and {@link
 * #abort}.
 */
final class BackendBroker {
    /** Connections that have died while they were idle are one after the other found out and dropped. */
    private static final int MAX_DEAD = 1000;

    private static final Duration A_MOMENT = Duration.ofMillis(1);

    /** How long a backend may take to notice that a connection was closed for another one. */
    private static final Duration ROOM_WITHIN = Duration.ofSeconds(1);

    /** How long another connection may take to be cleaned, if nothing was idle. */
    private static final Duration CLEAN_WITHIN = Duration.ofMillis(250);

    private static final long FIRST_PAUSE_MILLIS = 5;
    private static final long LONGEST_PAUSE_MILLIS = 100;

    private final InProcessPool pool;
    private final DriverLogin login;
    private final @Nullable AccountMemory memory;
    private final Predicate<RefusedException> closesIdle;

    /** Until when a backend that had no room is asked again, on {@link System#nanoTime}; 0 if none had none. */
    private long roomBy;

    private long pauseMillis = FIRST_PAUSE_MILLIS;

    /** Opened for its greeting; becomes the session's if a new connection is needed, as it mostly is then. */
    private @Nullable BackendConnection spare;

    /** Whether the pool counts it. */
    private boolean spareCounts;

    /** What the spare one is logged in as, or was refused as, before the driver has said anything. */
    private @Nullable BackendRequest guess;

    private @Nullable RefusedException refusal;

    private @Nullable Lease<BackendConnection> lease;

    // Read by whoever closes the session.
    private volatile @Nullable BackendConnection inUse;

    private final Object inUseLock = new Object();
    private volatile @Nullable CompletableFuture<?> pending;
    private volatile boolean cancelled;

    /**
     * A broker of one session's.
     *
     * @param memory of accounts; null if the driver has no other way, so that it is told what the backend says
     * @param closesIdle closes an idle connection for which the backend has refused another one; false if there is none
     */
    BackendBroker(
            InProcessPool pool,
            DriverLogin login,
            @Nullable AccountMemory memory,
            Predicate<RefusedException> closesIdle) {
        this.pool = pool;
        this.login = login;
        this.memory = memory;
        this.closesIdle = closesIdle;
    }

    // ---- the greeting

    /**
     * What to greet the driver with. Without an idle connection a new one is opened for it, so that a backend that cannot
     * be reached is found out now.
     *
     * @throws UnsupportedAccountException if the driver had better connect by itself
     */
    HandshakeV10 greeting() throws IOException {
        HandshakeV10 known = pool.greeting();
        if (known != null) {
            if (!pool.mayOpenSpare(login)) {
                return known;
            }
            spareCounts = true;
        }
        try {
            return openSpare();
        } finally {
            if (spare == null) {
                spareIsGone();
            }
        }
    }

    private HandshakeV10 openSpare() throws IOException {
        long deadline = login.timeout().isZero() ? Long.MAX_VALUE : BackendConnection.deadlineOf(login.timeout());
        IOException failure = null;
        for (HostPort address : pool.backends()) {
            try {
                HandshakeV10 greeting = openSpare(address, deadline);
                logInAhead(Objects.requireNonNull(spare), greeting, deadline);
                setInUse(null);
                return greeting;
            } catch (UnsupportedAccountException e) {
                throw e;
            } catch (IOException e) {
                boolean refusedByAll = e instanceof RefusedException && pool.addresses() == 1;
                if (refusedByAll || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                // A backend that refuses everybody is as good as none, if there is another one.
                failure = e;
                if (!cancelled) {
                    pool.failed(address, e);
                }
            }
        }
        throw failure == null ? new IOException("no backends for " + login.address()) : failure;
    }

    private HandshakeV10 openSpare(HostPort address, long deadline) throws IOException {
        while (true) {
            BackendConnection opened = new BackendConnection(address, login.tls(), pool.limits());
            setInUse(opened);
            checkCancelled();
            try {
                HandshakeV10 greeting = opened.connect(rest(config().connectTimeout(), deadline));
                pool.greeted(address, greeting);
                spare = opened;
                return greeting;
            } catch (RefusedException e) {
                if (!getsRoom(e, deadline)) {
                    throw e;
                }
            }
        }
    }

    /**
     * Where the backend has no room: closes an idle connection for this one, and waits until the backend may have noticed, or
     * until another one may be clean.
     *
     * @return whether to ask it again
     */
    private boolean getsRoom(RefusedException refusal, long deadline) throws IOException {
        if (!refusal.isForWantOfRoom() || isPast(deadline)) {
            return false;
        }
        if (roomBy == 0) {
            boolean closed = closesIdle.test(refusal);
            if (!closed && pool.control().occupancy().total() == 0) {
                return false;
            }
            roomBy = BackendConnection.deadlineOf(closed ? ROOM_WITHIN : CLEAN_WITHIN);
        } else if (roomBy - System.nanoTime() <= 0) {
            return false;
        }
        try {
            // Only the backend knows when it has noticed, and it does not say so.
            TimeUnit.MILLISECONDS.sleep(pauseMillis);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        pauseMillis = Math.min(2 * pauseMillis, LONGEST_PAUSE_MILLIS);
        return true;
    }

    /** Whether a deadline on {@link System#nanoTime} is over; one of {@link Long#MAX_VALUE} never is. */
    static boolean isPast(long deadline) {
        return deadline != Long.MAX_VALUE && deadline - System.nanoTime() <= 0;
    }

    /** A limit of ours, or what is left of the driver's own. */
    private static Duration rest(Duration limit, long deadline) {
        if (deadline == Long.MAX_VALUE) {
            return limit;
        }
        Duration rest = Duration.ofNanos(deadline - System.nanoTime());
        return rest.compareTo(limit) > 0 ? limit : rest.compareTo(A_MOMENT) < 0 ? A_MOMENT : rest;
    }

    private SocketTimeoutException late(Exception cause) {
        SocketTimeoutException timedOut =
                new SocketTimeoutException("no connection of pool " + pool.name() + " in time: " + pool.describe());
        timedOut.initCause(cause);
        return timedOut;
    }

    private InterruptedIOException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        InterruptedIOException stopped =
                new InterruptedIOException("interrupted while waiting for a connection of pool " + pool.name());
        stopped.initCause(cause);
        return stopped;
    }

    /**
     * The first login of the account with this password, on the spare connection. What the backend wants for it is in its
     * answer to a login only, and must be known before the driver has got a byte: after that it could not connect by itself
     * any more.
     */
    private void logInAhead(BackendConnection opened, HandshakeV10 greeting, long deadline)
            throws UnsupportedAccountException {
        if (memory == null || !pool.isLoginDue(login)) {
            return;
        }
        BackendRequest guessed = memory.guess(login, greeting);
        try {
            opened.logIn(guessed, rest(pool.talkTimeout(), deadline));
            guess = guessed;
            pool.loginWasPossible(login);
        } catch (RefusedException e) {
            dropSpare(opened, e);
            if (e.isForWantOfRoom()) {
                // The session's own attempt may find some.
                return;
            }
            UnsupportedAccountException unsupported = memory.remember(login, e);
            if (unsupported != null) {
                throw unsupported;
            }
            // The driver is told when it logs in, and the backend is not asked again for that.
            guess = guessed;
            refusal = e;
        } catch (IOException e) {
            // The session's own attempt shows whether it stays so.
            dropSpare(opened, e);
        }
    }

    private void spareIsGone() {
        if (spareCounts) {
            spareCounts = false;
            pool.spareIsGone();
        }
    }

    private void dropSpare(BackendConnection opened, IOException cause) {
        opened.abort(String.valueOf(cause.getMessage()));
        spare = null;
    }

    // ---- borrowing

    /** The connection that the session has; null if it has none. */
    @Nullable
    BackendConnection current() {
        Lease<BackendConnection> held = lease;
        return held == null ? null : inUse;
    }

    /** The lease of it; null if there is none. */
    @Nullable
    Lease<BackendConnection> lease() {
        return lease;
    }

    BackendConnectionInfo info() throws IOException {
        BackendConnection connection = current();
        BackendConnectionInfo info = connection == null ? null : connection.info();
        if (info == null) {
            throw new IOException("no backend connection");
        }
        return info;
    }

    /**
     * Waits for a connection on which the user is logged in.
     *
     * @param deadline on {@link System#nanoTime}
     * @throws RefusedException if the backend refuses the login
     */
    Lease<BackendConnection> acquire(BackendRequest request, long deadline) throws IOException {
        throwRefusal(request);
        Set<HostPort> unreachable = new HashSet<>();
        for (int dead = 0; ; dead++) {
            Lease<BackendConnection> got = await(request, deadline);
            BackendConnection connection = got.connection();
            setInUse(connection);
            boolean fresh = !connection.isConnected();
            try {
                checkCancelled();
                if (fresh) {
                    open(connection, request, deadline);
                } else {
                    connection.finishPreparation(rest(pool.talkTimeout(), deadline));
                }
                adapt(connection, request, deadline);
                roomBy = 0;
                pauseMillis = FIRST_PAUSE_MILLIS;
                lease = got;
                closeSpare();
                return got;
            } catch (RefusedException e) {
                setInUse(null);
                got.retire("the login was refused");
                got.release();
                if (!fresh || !getsRoom(e, deadline)) {
                    throw e;
                }
            } catch (IOException e) {
                setInUse(null);
                connection.abort(String.valueOf(e.getMessage()));
                got.releaseBroken(String.valueOf(e.getMessage()));
                if (dead >= MAX_DEAD || cancelled) {
                    throw e;
                }
                if (isPast(deadline)) {
                    // Nothing is said against the backend.
                    throw late(e);
                }
                if (fresh) {
                    HostPort address = connection.address();
                    pool.failed(address, e);
                    unreachable.add(address);
                    if (unreachable.size() >= pool.addresses() || pool.isDown()) {
                        throw e.getCause() instanceof RefusedException refused ? refused : e;
                    }
                }
            } catch (RuntimeException | Error e) {
                // Of a trust store that cannot be read, for example.
                setInUse(null);
                connection.abort(String.valueOf(e.getMessage()));
                got.releaseBroken(String.valueOf(e.getMessage()));
                throw e;
            }
        }
    }

    private Lease<BackendConnection> await(BackendRequest request, long deadline) throws IOException {
        // Not every driver limits its reads while it connects.
        Duration patience = shorter(login.timeout(), config().acquireTimeout());
        CompletableFuture<Lease<BackendConnection>> asked = pool.acquire(request, login.tls(), patience);
        pending = asked;
        try {
            checkCancelled();
            return deadline == Long.MAX_VALUE
                    ? asked.get()
                    : asked.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            giveUp(asked);
            throw late(e);
        } catch (InterruptedException e) {
            giveUp(asked);
            throw interrupted(e);
        } catch (CancellationException e) {
            throw closed(e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(cause.getMessage(), cause);
        } catch (SocketException e) {
            giveUp(asked);
            throw e;
        } finally {
            pending = null;
        }
    }

    private static void giveUp(CompletableFuture<Lease<BackendConnection>> asked) {
        if (!asked.cancel(false) && !asked.isCompletedExceptionally()) {
            // It came in the same moment.
            asked.join().release();
        }
    }

    /** What the login ahead has come to, if that was the same login; it is known only once, and only of one backend. */
    private void throwRefusal(BackendRequest request) throws RefusedException {
        RefusedException known = refusal;
        refusal = null;
        BackendRequest guessed = guess;
        if (known != null
                && guessed != null
                && pool.addresses() == 1
                && Objects.equals(guessed.credentials(), request.credentials())) {
            throw known;
        }
    }

    private HandshakeV10 connect(BackendConnection connection, long deadline) throws IOException {
        try {
            return connection.connect(rest(shorter(login.timeout(), config().connectTimeout()), deadline));
        } catch (RefusedException e) {
            if (pool.addresses() == 1) {
                throw e;
            }
            // A backend that refuses everybody is as good as none, if there is another one.
            throw new IOException(e.getMessage(), e);
        }
    }

    private void open(BackendConnection connection, BackendRequest request, long deadline) throws IOException {
        BackendRequest guessed = guess;
        BackendConnection opened = usableSpare(connection.address(), request);
        if (opened != null) {
            connection.adopt(opened);
        } else {
            pool.greeted(connection.address(), connect(connection, deadline));
        }
        if (opened == null || guessed == null) {
            logIn(connection, request, deadline);
        }
        BackendCredentials credentials = request.credentials();
        if (credentials != null) {
            pool.loggedIn(credentials);
            if (credentials.user().equals(login.user())) {
                pool.loginWasPossible(login);
            }
        }
        if (memory != null) {
            memory.loggedIn(login, request);
        }
    }

    private void logIn(BackendConnection connection, BackendRequest request, long deadline) throws IOException {
        try {
            connection.logIn(request, rest(pool.talkTimeout(), deadline));
        } catch (RefusedException e) {
            if (memory != null && request.key().user().equals(login.user())) {
                // It is too late for this connection, but not for the next one.
                if (memory.remember(login, e) != null) {
                    pool.loginWasTooLate(login);
                }
            }
            throw e;
        }
    }

    /** The spare connection, if it is there and as it is wanted. */
    private @Nullable BackendConnection usableSpare(HostPort address, BackendRequest request) {
        BackendConnection opened = spare;
        if (opened == null || !opened.address().equals(address) || !opened.isAlive()) {
            return null;
        }
        spare = null;
        spareIsGone();
        BackendRequest guessed = guess;
        if (guessed == null || AccountMemory.wasRight(guessed, request)) {
            return opened;
        }
        // The account may be allowed no second one beside it.
        opened.closeAndWait(pool.talkTimeout());
        return null;
    }

    /** What the key does not say: nothing as a rule. */
    private void adapt(BackendConnection connection, BackendRequest request, long deadline) throws IOException {
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IOException("it has not greeted");
        }
        ConnectionCleaner cleaner =
                ConnectionCleaner.beforeUse(info, request, BackendConnection.ATTRIBUTES, connection::send);
        if (cleaner.state() == ConnectionCleaner.State.CLEAN) {
            return;
        }
        connection.converse(cleaner, BackendConnection.deadlineOf(rest(pool.talkTimeout(), deadline)));
        if (cleaner.state() != ConnectionCleaner.State.CLEAN) {
            throw new RefusedException(connection.address(), cleaner.failure());
        }
        connection.became(cleaner.result());
        connection.setOpening(List.of());
    }

    /**
     * The session's connection, after a look whether it is still there; or another one like it, on which the same
     * statements have been answered in the same way.
     *
     * @param said what the session has been answered from memory
     * @param deadline on {@link System#nanoTime}
     * @throws SocketTimeoutException if it is past
     */
    BackendConnection validated(BackendRequest request, List<OpeningStatement> said, long deadline) throws IOException {
        BackendConnection connection = current();
        if (connection == null) {
            throw new IOException("no backend connection");
        }
        boolean known = System.nanoTime() - connection.lastHeard()
                <= pool.validationBypass().toNanos();
        if (known || connection.ping(rest(pool.talkTimeout(), deadline))) {
            return connection;
        }
        long capabilities = info().capabilities();
        Lease<BackendConnection> dead = lease;
        lease = null;
        setInUse(null);
        if (dead != null) {
            dead.releaseBroken("it has died while it was idle");
        }
        BackendConnection other = acquireLive(request, deadline);
        if (info().capabilities() != capabilities) {
            throw new IOException("the backend has other capabilities than before: connect again");
        }
        repeat(other, request, said, deadline);
        return other;
    }

    /** The pool may have more of the dead ones. */
    private BackendConnection acquireLive(BackendRequest request, long deadline) throws IOException {
        while (true) {
            if (isPast(deadline)) {
                throw late(new SocketTimeoutException("the driver's time-out"));
            }
            long patience = BackendConnection.deadlineOf(rest(config().acquireTimeout(), deadline));
            BackendConnection got = acquire(request, patience).connection();
            boolean known = System.nanoTime() - got.lastHeard()
                    <= pool.validationBypass().toNanos();
            if (known || got.ping(rest(pool.talkTimeout(), deadline))) {
                return got;
            }
            Lease<BackendConnection> dead = lease;
            lease = null;
            setInUse(null);
            if (dead != null) {
                dead.releaseBroken("it has died while it was idle");
            }
        }
    }

    private void repeat(
            BackendConnection connection, BackendRequest request, List<OpeningStatement> said, long deadline)
            throws IOException {
        List<OpeningStatement> known = connection.opening();
        boolean begins =
                known.size() >= said.size() && known.subList(0, said.size()).equals(said);
        if (begins) {
            return;
        }
        pool.rewind(connection, request, said, rest(pool.talkTimeout(), deadline));
        if (!connection.opening().equals(said)) {
            throw new IOException("the backend answers the driver's opening statements in another way than before:"
                    + " connect again");
        }
    }

    /** See {@link InProcessPool#rewind}. */
    void rewind(BackendConnection connection, BackendRequest request, List<OpeningStatement> statements, long deadline)
            throws IOException {
        pool.rewind(connection, request, statements, rest(pool.talkTimeout(), deadline));
    }

    // ---- giving back

    void giveBackUnused() {
        Lease<BackendConnection> held = lease;
        lease = null;
        setInUse(null);
        if (held != null) {
            pool.takeBackUnused(held);
        }
    }

    void giveBack(BackendRelease release, BackendRequest served, List<OpeningStatement> statements) {
        Lease<BackendConnection> held = lease;
        lease = null;
        setInUse(null);
        if (held != null) {
            pool.takeBack(held, release, served, statements);
        }
    }

    /** The session is over. */
    void close() {
        closeSpare();
    }

    private void closeSpare() {
        BackendConnection unused = spare;
        spare = null;
        spareIsGone();
        if (unused != null) {
            unused.close();
        }
    }

    // ---- on any thread

    /** Ends a wait for the pool, now and later. */
    void cancel() {
        cancelled = true;
        CompletableFuture<?> waiting = pending;
        if (waiting != null) {
            waiting.cancel(false);
        }
    }

    /** Wakes whoever waits for the backend. */
    void abort(String why) {
        synchronized (inUseLock) {
            BackendConnection connection = inUse;
            if (connection != null) {
                connection.abort(why);
            }
        }
    }

    /** Once a connection is given back, nobody aborts it any more. */
    private void setInUse(@Nullable BackendConnection connection) {
        synchronized (inUseLock) {
            inUse = connection;
        }
    }

    /** The connection, to aim a KILL at it; null if there is none. */
    @Nullable
    BackendConnection target() {
        return inUse;
    }

    private void checkCancelled() throws SocketException {
        if (cancelled) {
            throw closed(null);
        }
    }

    private static SocketException closed(@Nullable Throwable cause) {
        SocketException closed = new SocketException("Socket closed");
        closed.initCause(cause);
        return closed;
    }

    private PoolConfig config() {
        return pool.config();
    }

    private static Duration shorter(Duration limit, Duration other) {
        return limit.isZero() || other.compareTo(limit) < 0 ? other : limit;
    }
}

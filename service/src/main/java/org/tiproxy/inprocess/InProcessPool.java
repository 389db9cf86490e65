package org.tiproxy.inprocess;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.SharedMySqlConnections;
import org.tiproxy.pool.KeyedConnectionFactory;
import org.tiproxy.pool.KeyedPool;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.Occupancy;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.PoolControl;
import org.tiproxy.pool.PoolStatistics;
import org.tiproxy.pool.Scheduler;
import org.tiproxy.pool.StaticAddresses;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRelease;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.ConnectionPreparation;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.session.PoolKey;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * The backend connections of one user to one address, as the driver names it. Places in the pool are connected by whoever
 * is the first to borrow them ({@link BackendConnection}); what comes back is cleaned, and prepared for the next borrower,
 * see {@link ConnectionPreparation}.
 *
 * <p>Thread-safe.
 */
final class InProcessPool implements SharedMySqlConnections {
    private static final Logger log = LoggerFactory.getLogger(InProcessPool.class);

    /** What connections must have in common to stand in for each other. */
    private record Key(PoolKey key, String schema, BackendCredentials credentials, BackendTls tls) {
        /** For operators. */
        @Override
        public String toString() {
            return "user=" + key.user() + " capabilities=0x" + Long.toHexString(key.capabilities()) + " collation="
                    + key.collationId() + (schema.isEmpty() ? "" : " schema=" + schema) + " " + tls;
        }
    }

    /**
     * How long who closes a connection waits for its cleaning, where that answers the backend; then it is not kept. Shorter
     * than other waits: many may be closed in a row, of a backend that says nothing.
     */
    private static final Duration CLOSER_WAITS = Duration.ofSeconds(1);

    private final String name;
    private final List<HostPort> backends;
    private final Reachability reachability;
    private final Duration validationBypass;
    private final KeyedPool<Key, BackendConnection> pool;
    private final WaitLimits limits;
    /** Connections that were opened ahead, and have no place in the pool. */
    private final AtomicInteger spares = new AtomicInteger();

    private volatile @Nullable HandshakeV10 greeting;
    /** With what users have logged in last; sessions may change theirs. */
    private final Map<String, BackendCredentials> latest = new ConcurrentHashMap<>();

    /** What decides whether a login can do without the driver. */
    private record Way(String user, BackendTls tls, boolean keyRetrieval) {
        static Way of(DriverLogin login) {
            return new Way(login.user(), login.tls(), login.keyRetrieval());
        }
    }

    /** Logins that have to be tried while a socket opens, because the last ones would have been better tried there. */
    private final Set<Way> due = ConcurrentHashMap.newKeySet();

    InProcessPool(String name, List<HostPort> backends, PoolConfig config, Ticker ticker, Scheduler scheduler) {
        this.name = name;
        this.backends = List.copyOf(backends);
        this.reachability = new Reachability(backends, ticker);
        this.validationBypass = config.probeBypass();
        // Validated by us, at the first statement: opening a connection causes no traffic. What the pool takes for down
        // are addresses that it leaves alone for a moment; whether a backend can be reached, borrowers find out.
        PoolConfig own = config.toBuilder()
                .name(name)
                .probeBypass(Duration.ofDays(36_500))
                .failFast(false)
                .build();
        this.limits = new WaitLimits(scheduler);
        this.pool = KeyedPool.create(
                new Factory(reachability, limits),
                StaticAddresses.of(backends.toArray(HostPort[]::new)),
                own,
                null,
                ticker,
                scheduler);
    }

    String name() {
        return name;
    }

    /** How long its connections are waited for. */
    WaitLimits limits() {
        return limits;
    }

    /** What the backend greets with, as known from the last new connection. */
    @Nullable
    HandshakeV10 greeting() {
        return greeting;
    }

    void greeted(HostPort address, HandshakeV10 read) {
        greeting = read;
        reachability.reached(address);
    }

    /** The address is to be avoided as long as there are others. */
    void failed(HostPort address, IOException cause) {
        reachability.failed(address, cause);
    }

    /** Whether every address has failed when it was last tried. */
    boolean isDown() {
        return reachability.isDown();
    }

    /** Where connections go, the best first; at least one. */
    List<HostPort> backends() {
        return reachability.inOrder();
    }

    /** How many addresses there are to try. */
    int addresses() {
        return reachability.addresses();
    }

    /**
     * Whether a connection may be opened before it has a place in the pool: nothing is idle or a login is due, and there is
     * room for it and for all others that are opened in the same way, however many threads come at once. If so, {@link
     * #spareIsGone} is owed.
     */
    boolean mayOpenSpare(DriverLogin login) {
        Occupancy now = control().occupancy();
        if (now.idle() > 0 && !isLoginDue(login)) {
            return false;
        }
        int others = spares.getAndIncrement();
        if (now.total() + (long) others < (long) backends.size() * config().maxConnectionsPerAddress()) {
            return true;
        }
        spares.decrementAndGet();
        return false;
    }

    /** It has a place in the pool, or is closed. */
    void spareIsGone() {
        spares.decrementAndGet();
    }

    /** The numbers, for an error. */
    String describe() {
        PoolStatistics now = control().statistics();
        return "total " + now.total() + " of " + (long) backends.size() * config().maxConnectionsPerAddress()
                + ", active " + now.active() + ", idle " + now.idle() + ", waiting " + now.pending();
    }

    PoolConfig config() {
        return control().config();
    }

    /** How long logins, cleanings and pings may take. */
    Duration talkTimeout() {
        return config().probeTimeout();
    }

    /** For how long a connection that has been heard of needs no COM_PING. */
    Duration validationBypass() {
        return validationBypass;
    }

    // ---- lending

    /** Asks for a place, which may have no connection yet. */
    CompletableFuture<Lease<BackendConnection>> acquire(BackendRequest request, BackendTls tls, Duration timeout) {
        BackendCredentials credentials = request.credentials();
        if (credentials == null) {
            throw new IllegalArgumentException("credentials are always known in a process");
        }
        return pool.acquireAsync(new Key(request.key(), request.schema(), credentials, tls), timeout);
    }

    /**
     * Whether it is to be found out while a socket opens what the account needs: nobody has logged in with this password
     * last, or the last login was refused for want of something that the driver may have.
     */
    boolean isLoginDue(DriverLogin login) {
        BackendCredentials known = latest.get(login.user());
        return known == null
                || (!due.isEmpty() && due.contains(Way.of(login)))
                || !known.equals(BackendCredentials.ofPassword(login.user(), login.password()));
    }

    /** A login was refused when it was too late for the driver to connect by itself: the next one is tried in time. */
    void loginWasTooLate(DriverLogin login) {
        due.add(Way.of(login));
    }

    /** A login needs nothing that only the driver has. */
    void loginWasPossible(DriverLogin login) {
        if (!due.isEmpty()) {
            due.remove(Way.of(login));
        }
    }

    /** A login has succeeded: connections of that user with an older password are not lent any more. */
    void loggedIn(BackendCredentials credentials) {
        BackendCredentials before = latest.put(credentials.user(), credentials);
        if (before != null && !credentials.equals(before)) {
            log.info(
                    "{}: the password of {} has changed, connections with the old one are closed",
                    name,
                    credentials.user());
            control()
                    .evict(info -> info.key() instanceof Key key
                            && key.credentials.user().equals(credentials.user())
                            && !key.credentials.equals(credentials));
        }
    }

    /**
     * Cleans a connection, prepares it for the next session and lends it to others, or has it closed. Does not wait for the
     * backend as a rule.
     *
     * @param statements with which the session has opened
     */
    void takeBack(
            Lease<BackendConnection> lease,
            BackendRelease release,
            BackendRequest served,
            List<OpeningStatement> statements) {
        BackendConnection connection = lease.connection();
        String lost = connection.lost();
        if (lost != null) {
            lease.releaseBroken(release.reason().isEmpty() ? lost : release.reason());
            return;
        }
        if (connection.aim().isKilledOnReturn()) {
            retire(lease);
            return;
        }
        if (!release.reusable() || !isLatest(served)) {
            lease.retire(release.reusable() ? "its password is not the latest" : release.reason());
            lease.release();
            return;
        }
        boolean prepared = false;
        try {
            if (prepare(connection, release, served, statements)) {
                // A backend that waits for a login does not wait for long.
                Duration limit = talkTimeout();
                connection.finishPreparation(limit.compareTo(CLOSER_WAITS) < 0 ? limit : CLOSER_WAITS);
            }
            prepared = true;
        } catch (IOException | RuntimeException e) {
            lease.markBroken(String.valueOf(e.getMessage()));
        } finally {
            if (!prepared) {
                // After an Error nobody knows what it has of the session yet.
                lease.markBroken("its cleaning was broken off");
            }
            lease.release();
        }
    }

    /** Takes back a connection that its session has not used. */
    void takeBackUnused(Lease<BackendConnection> lease) {
        if (lease.connection().aim().isKilledOnReturn()) {
            retire(lease);
        } else {
            lease.release();
        }
    }

    private static void retire(Lease<BackendConnection> lease) {
        lease.retire("a KILL of it may be on its way");
        lease.release();
    }

    private boolean isLatest(BackendRequest served) {
        BackendCredentials its = served.credentials();
        return its == null || its.equals(latest.getOrDefault(its.user(), its));
    }

    /** Returns whether the backend waits for answers. */
    private boolean prepare(
            BackendConnection connection,
            BackendRelease release,
            BackendRequest served,
            List<OpeningStatement> statements)
            throws IOException {
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IOException("it has not greeted");
        }
        BackendRelease own = new BackendRelease(info, true, "", release.multiStatementsChanged());
        List<Bytes> packets = statements.stream().map(OpeningStatement::packet).toList();
        connection.setOpening(List.of());
        ConnectionPreparation work =
                ConnectionPreparation.begin(own, served, packets, BackendConnection.ATTRIBUTES, connection::send);
        connection.prepare(work);
        connection.flush();
        return work.asksBack();
    }

    /**
     * Brings a connection back to a shorter opening, by another cleaning. Waits for it.
     *
     * @param statements those of its opening to keep
     * @param timeout of each wait for the backend
     */
    void rewind(
            BackendConnection connection, BackendRequest served, List<OpeningStatement> statements, Duration timeout)
            throws IOException {
        BackendConnectionInfo info = connection.info();
        if (info == null) {
            throw new IOException("it has not greeted");
        }
        prepare(connection, new BackendRelease(info, true, "", false), served, statements);
        connection.finishPreparation(timeout);
    }

    /**
     * Closes what has been idle for longest, so that the backend has room for somebody else.
     *
     * @return false if nothing is idle there
     */
    boolean closeLongestIdle(HostPort address) {
        return control()
                .evictLongestIdle(one -> one.address().equals(address)
                        && one.connection() instanceof BackendConnection open
                        && open.isConnected());
    }

    // ---- for operators

    @Override
    public String mode() {
        return "session";
    }

    @Override
    public PoolControl control() {
        return pool.control();
    }

    void close() {
        pool.close();
    }

    private static final class Factory implements KeyedConnectionFactory<Key, BackendConnection> {
        private final Reachability reachability;
        private final WaitLimits limits;

        Factory(Reachability reachability, WaitLimits limits) {
            this.reachability = reachability;
            this.limits = limits;
        }

        /** Nobody would be there to connect it. */
        @Override
        public boolean opensAhead(Key key) {
            return false;
        }

        @Override
        public CompletableFuture<BackendConnection> connect(Key key, HostPort address, Duration timeout) {
            if (!reachability.isWorseThanOthers(address)) {
                return CompletableFuture.completedFuture(new BackendConnection(address, key.tls(), limits));
            }
            String failure = reachability.failure(address);
            if (failure != null) {
                // The pool goes to another address, and comes back to this one now and then when nobody waits for it.
                return CompletableFuture.failedFuture(new IOException(failure));
            }
            return tryAgain(key, address, timeout);
        }

        /** A place at an address that has failed, once it greets. */
        private CompletableFuture<BackendConnection> tryAgain(Key key, HostPort address, Duration timeout) {
            CompletableFuture<BackendConnection> place = new CompletableFuture<>();
            BackendConnection attempt = new BackendConnection(address, key.tls(), limits);
            BackgroundThreads.run(
                    place,
                    () -> {
                        try {
                            attempt.connect(timeout);
                        } catch (IOException | RuntimeException e) {
                            reachability.failed(address, e);
                            throw e;
                        }
                        // Until somebody borrows it, the backend would not wait for a login.
                        attempt.close();
                        reachability.reached(address);
                        return new BackendConnection(address, key.tls(), limits);
                    },
                    () -> attempt.abort("the attempt was given up"));
            return place;
        }

        /** On a thread of its own: a borrower's, or the only one of the housekeeping, is not to wait for the backend. */
        @Override
        public CompletableFuture<Boolean> probe(BackendConnection connection, Duration timeout) {
            if (!connection.isConnected()) {
                return CompletableFuture.completedFuture(true);
            }
            CompletableFuture<Boolean> answer = new CompletableFuture<>();
            BackgroundThreads.run(
                    answer, () -> connection.ping(timeout), () -> connection.abort("its probe was given up"));
            return answer;
        }

        @Override
        public void close(BackendConnection connection) {
            connection.close();
        }

        @Override
        public boolean reuse(BackendConnection connection) {
            return connection.isAlive();
        }
    }
}

package org.tiproxy.pool;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.Ticker;

/**
 * All decisions of a pool. Each is made under one lock by {@link #decide}, which collects what is to be done outside and
 * does it when the lock is free again. Methods marked "locked" are called by decisions only.
 */
final class PoolCore<K, C> {
    private static final Logger log = LoggerFactory.getLogger(PoolCore.class);

    /** How many later callers with other keys may be served before a waiting one. */
    static final int MAX_BYPASS = 8;

    private static final double LIFETIME_JITTER = 0.1;

    private static final String UNWANTED = "its caller has gone, and it cannot wait for another one";

    final KeyedConnectionFactory<K, C> factory;
    final Ticker ticker;
    private final Scheduler scheduler;
    /** What connections for minIdle are opened with: the last key that was asked for; null if none is known (yet). */
    private @Nullable K aheadKey;

    private final Random random;
    private final IdleSlots<K, C> slots;

    private final ReentrantLock lock = new ReentrantLock();
    private final Effects effects;
    final AddressRing<K, C> ring = new AddressRing<>();
    final WaitQueue<K, C> waiters = new WaitQueue<>();
    private final Housekeeping<K, C> housekeeping = new Housekeeping<>(this);
    final LatencyHistogram acquireWait = new LatencyHistogram();
    final LatencyHistogram connectTime = new LatencyHistogram();
    final CompletableFuture<Void> allClosed = new CompletableFuture<>();

    private volatile PoolConfig config;
    private volatile long bypassNanos;
    private volatile boolean tracing;

    /**
     * True while the slots may be used: nobody waits, at most one address, neither suspended nor closed. Written under the
     * lock. Whoever parks an entry reads it afterwards, whoever clears it empties the slots afterwards.
     */
    private volatile boolean calm;

    boolean suspended;
    boolean closed;
    private long nextId = 1;
    private boolean armed;
    private long armedAt;

    long timeoutsTotal;
    long leakedTotal;

    @Nullable
    String lastFailure;

    private @Nullable String lastConnectFailure;
    private @Nullable Throwable lastConnectFailureCause;

    @Nullable
    Instant lastFailureTime;

    PoolCore(
            KeyedConnectionFactory<K, C> factory,
            PoolConfig config,
            @Nullable K minIdleKey,
            Ticker ticker,
            Scheduler scheduler,
            IdleSlots<K, C> slots,
            Random random) {
        this.factory = factory;
        this.aheadKey = minIdleKey;
        this.ticker = ticker;
        this.scheduler = scheduler;
        this.slots = slots;
        this.random = random;
        this.effects = new Effects(scheduler);
        this.config = config;
        this.bypassNanos = config.probeBypass().toNanos();
        this.tracing = !config.leakDetectionThreshold().isZero();
    }

    PoolConfig config() {
        return config;
    }

    // ---- the short way, without the lock ----

    /** Lends the connection that this thread has parked; null if the long way has to be taken. */
    @Nullable
    Lease<C> acquireParked(K key) {
        if (!calm) {
            return null;
        }
        Entry<K, C> entry = slots.take(key);
        if (entry == null) {
            return null;
        }
        long now = ticker.nanoTime();
        if (now - entry.lastGood <= bypassNanos && entry.doom() == null && !entry.isExpired(now) && isReusable(entry)) {
            entry.moveTo(EntryState.IN_USE);
            return entry.lend(now, tracing ? trace() : null);
        }
        decide(() -> admit(entry, now));
        return null;
    }

    /** Takes back a connection from its lease. */
    void giveBack(Entry<K, C> entry, Lease<C> lease) {
        long now = ticker.nanoTime();
        if (lease.reported) {
            log.warn("{} - the leaked {} came back after {} s", config.name(), entry, seconds(now - lease.acquiredAt));
        }
        entry.becomeIdle(now);
        watch(entry);
        if (calm && entry.doom() == null && !entry.isExpired(now) && slots.park(entry)) {
            if (calm && entry.doom() == null) {
                return;
            }
            if (!slots.unpark(entry)) {
                // Taken by somebody who has to deal with it now.
                return;
            }
        }
        decide(() -> admit(entry, now));
    }

    // ---- events ----

    PendingAcquire<K, C> acquire(K key, long timeoutNanos) {
        long now = ticker.nanoTime();
        PendingAcquire<K, C> caller = new PendingAcquire<>(key, now, timeoutNanos, tracing ? trace() : null);
        boolean opensAhead = factory.opensAhead(key);
        decide(() -> {
            if (opensAhead) {
                aheadKey = key;
            }
            enter(caller, now);
        });
        if (!caller.isDone()) {
            // Failed by somebody else than the pool: cancelled, or timed out by its owner.
            caller.whenComplete((lease, failure) -> {
                if (failure != null && !(failure instanceof AcquireException)) {
                    decide(() -> waiters.remove(caller));
                }
            });
        }
        return caller;
    }

    /** Gives a borrowed connection another key. */
    void rekey(Lease<C> lease, K key) {
        Entry<K, C> entry = null;
        for (Entry<K, C> one : ask(this::allEntries)) {
            if (one.lease == lease) {
                entry = one;
            }
        }
        if (entry == null) {
            throw new IllegalArgumentException(lease + " was released or is another pool's");
        }
        entry.rekey(key);
        if (factory.opensAhead(key)) {
            decide(() -> aheadKey = key);
        }
    }

    private List<Entry<K, C>> allEntries() {
        List<Entry<K, C>> all = new ArrayList<>();
        ring.all().forEach(home -> all.addAll(home.entries));
        return all;
    }

    /** The watch has seen something. */
    void lost(Entry<K, C> entry) {
        decide(() -> {
            drainSlots();
            if (entry.home.removeIdle(entry)) {
                drop(entry);
            }
        });
    }

    void setAddresses(List<WeightedAddress> addresses) {
        decide(() -> {
            if (closed) {
                return;
            }
            ring.set(addresses);
            for (AddressPool<K, C> home : new ArrayList<>(ring.all())) {
                if (home.isGone()) {
                    evictAll(home, "its address was removed");
                    ring.forget(home);
                }
            }
            drainSlots();
        });
    }

    void reconfigure(PoolConfig changed) {
        decide(() -> {
            config = changed;
            bypassNanos = changed.probeBypass().toNanos();
            tracing = !changed.leakDetectionThreshold().isZero();
            drainSlots();
            for (AddressPool<K, C> home : ring.all()) {
                trim(home);
            }
        });
    }

    void setSuspended(boolean value) {
        decide(() -> suspended = value);
    }

    int evict(Predicate<Entry<K, C>> which, String reason) {
        int[] count = new int[1];
        decide(() -> {
            drainSlots();
            for (AddressPool<K, C> home : ring.all()) {
                for (Entry<K, C> entry : home.entries) {
                    if (entry.doom() == null && which.test(entry)) {
                        entry.evict(reason);
                        count[0]++;
                    }
                }
            }
            dropDoomed();
        });
        return count[0];
    }

    /** The idle connections, parked ones included. */
    Set<Entry<K, C>> idle() {
        Set<Entry<K, C>> found = new HashSet<>();
        decide(() -> {
            drainSlots();
            ring.all().forEach(home -> found.addAll(home.idle()));
        });
        return found;
    }

    void close() {
        decide(() -> {
            if (closed) {
                return;
            }
            closed = true;
            failAll(AcquireException.Reason.CLOSED, "the pool \"" + config.name() + "\" is closed", null);
            for (AddressPool<K, C> home : ring.all()) {
                evictAll(home, "the pool was closed");
            }
            drainSlots();
            noteClosed();
        });
    }

    // ---- decisions; all locked ----

    void decide(Runnable decision) {
        List<Runnable> decided;
        lock.lock();
        try {
            decision.run();
            settle();
            decided = effects.take();
        } finally {
            lock.unlock();
        }
        effects.run(decided);
    }

    /** Does what follows from any change: serves waiters, replaces connections. */
    private void settle() {
        setCalm();
        if (!calm) {
            drainSlots();
        }
        long now = ticker.nanoTime();
        probeSuspects(now);
        dispatch(now);
        tryAgain(now);
        refill(now);
        setCalm();
    }

    private void setCalm() {
        boolean value = !closed && !suspended && waiters.isEmpty() && ring.usable() <= 1;
        if (value != calm) {
            calm = value;
        }
    }

    private void enter(PendingAcquire<K, C> caller, long now) {
        if (closed) {
            fail(caller, AcquireException.Reason.CLOSED, "the pool \"" + config.name() + "\" is closed", null);
            return;
        }
        if (!suspended && waiters.isEmpty()) {
            unparkFor(caller.key);
            bring(caller.key, caller, now);
            if (caller.served) {
                return;
            }
        }
        if (caller.deadline - now <= 0) {
            expire(caller, now);
            return;
        }
        waiters.add(caller);
        armAt(caller.deadline, now);
    }

    /** Serves as many waiters as can be, in order, and has connections opened for the others. */
    private void dispatch(long now) {
        if (closed || suspended) {
            return;
        }
        PendingAcquire<K, C> caller = waiters.firstLacking();
        while (caller != null && bring(caller.key, null, now)) {
            caller = waiters.firstLacking();
        }
        if (caller == null) {
            return;
        }
        passBy(caller, now);
        makeRoom(now);
        if (config.failFast() && isDown(now)) {
            failAll(AcquireException.Reason.DOWN, describe("no connection to", ""), lastConnectFailureCause);
        }
    }

    /**
     * Takes an idle connection for {@code key}, has one probed, or has one opened.
     *
     * @param direct who gets an idle one; null for the first waiter with that key
     * @return false if there is nothing that could be done at the moment
     */
    private boolean bring(K key, @Nullable PendingAcquire<K, C> direct, long now) {
        markTrials(key, now);
        while (true) {
            int max = config.maxConnectionsPerAddress();
            AddressPool<K, C> home =
                    ring.next(one -> one.hasIdle(key) || (one.trialKey == null && one.canConnect(max, now)));
            if (home == null) {
                return false;
            }
            Entry<K, C> entry = home.takeIdle(key);
            if (entry == null) {
                connect(home, key, now, false, true);
                return true;
            }
            if (entry.doom() != null || entry.isExpired(now)) {
                drop(entry);
                continue;
            }
            if (now - entry.lastGood > bypassNanos) {
                probe(entry, now);
                return true;
            }
            PendingAcquire<K, C> caller = direct != null ? direct : waiters.first(key);
            if (caller == null) {
                home.addIdle(entry);
                return false;
            }
            handOut(entry, caller);
            return true;
        }
    }

    /** Addresses that have failed and may be tried again get no caller of their own while another one can serve it. */
    private void markTrials(K key, long now) {
        int max = config.maxConnectionsPerAddress();
        boolean servedElsewhere = false;
        for (AddressPool<K, C> home : ring.all()) {
            servedElsewhere |= home.failures == 0 && !home.isGone() && (home.hasIdle(key) || home.canConnect(max, now));
        }
        for (AddressPool<K, C> home : ring.all()) {
            if (servedElsewhere && home.failures > 0 && home.trialKey == null && home.canConnect(max, now)) {
                home.trialKey = key;
            }
        }
    }

    private void handOut(Entry<K, C> entry, PendingAcquire<K, C> caller) {
        entry.moveTo(EntryState.IN_USE);
        waiters.remove(caller);
        caller.served = true;
        effects.add(() -> deliver(entry, caller));
    }

    /** Lets callers with other keys have what is idle while the first one's connection cannot be had. */
    private void passBy(PendingAcquire<K, C> first, long now) {
        for (AddressPool<K, C> home : ring.all()) {
            for (Entry<K, C> entry : new ArrayList<>(home.idle())) {
                if (first.bypassed >= MAX_BYPASS) {
                    return;
                }
                if (waiters.first(entry.key()) != null && home.idle().contains(entry)) {
                    first.bypassed++;
                    bring(entry.key(), null, now);
                }
            }
        }
    }

    /** Closes idle connections with other keys, one for each caller that nothing is on its way to. */
    private void makeRoom(long now) {
        int wanted = waiters.lacking();
        for (AddressPool<K, C> home : ring.all()) {
            wanted -= home.closing;
        }
        for (AddressPool<K, C> home : ring.all()) {
            while (wanted > 0
                    && !home.isGone()
                    && !home.isBackingOff(now)
                    && home.entries.size() >= config.maxConnectionsPerAddress()) {
                Entry<K, C> oldest = home.oldestIdle();
                if (oldest == null) {
                    break;
                }
                dropIdle(oldest, "another key needs its place");
                wanted--;
            }
        }
    }

    /**
     * Tries addresses again that have failed, while others serve: nobody has to wait for that, as it may take as long as a
     * connect may.
     */
    private void tryAgain(long now) {
        for (AddressPool<K, C> home : ring.all()) {
            K key = home.trialKey;
            home.trialKey = null;
            if (key != null && !closed && home.canConnect(config.maxConnectionsPerAddress(), now)) {
                connect(home, key, now, true, false);
            }
        }
    }

    /** Opens what minIdle asks for. */
    private void refill(long now) {
        int minIdle = config.minIdle();
        K key = aheadKey;
        if (closed || minIdle == 0 || key == null || !waiters.isEmpty()) {
            return;
        }
        for (AddressPool<K, C> home : ring.all()) {
            int missing = minIdle - home.idle().size() - slots.count(home) - home.connecting - home.probing;
            while (missing > 0 && home.canConnect(config.maxConnectionsPerAddress(), now)) {
                connect(home, key, now, true, true);
                missing--;
            }
        }
    }

    /** Nothing is open, nothing is being opened, and no address may be tried yet. */
    private boolean isDown(long now) {
        for (AddressPool<K, C> home : ring.all()) {
            if (!home.entries.isEmpty() || (!home.isGone() && !home.isBackingOff(now))) {
                return false;
            }
        }
        return true;
    }

    /** A connection that is known to work goes to whoever waits for one like it, without another probe. */
    private void serveOrAdmit(Entry<K, C> entry, long now) {
        PendingAcquire<K, C> caller = closed || suspended ? null : waiters.first(entry.key());
        if (caller != null && entry.doom() == null && !entry.isExpired(now)) {
            handOut(entry, caller);
        } else {
            admit(entry, now);
        }
    }

    /** An idle connection that nobody else knows becomes one of the pool's, or is closed. */
    private void admit(Entry<K, C> entry, long now) {
        if (entry.doom() == null && !entry.isExpired(now)) {
            entry.home.addIdle(entry);
        } else {
            drop(entry);
        }
    }

    private void dropIdle(Entry<K, C> entry, String reason) {
        entry.evict(reason);
        entry.home.removeIdle(entry);
        drop(entry);
    }

    /** Closes a connection that was taken out of the idle ones. */
    void drop(Entry<K, C> entry) {
        entry.moveTo(EntryState.CLOSING);
        AddressPool<K, C> home = entry.home;
        home.closing++;
        String reason = entry.doom() == null ? "it reached its maximum lifetime" : entry.doom();
        if (entry.broken()) {
            home.brokenTotal++;
            home.suspicious = true;
            noteFailure(home, entry + ": " + reason, null);
        }
        log.debug("{} - closing {}: {}", config.name(), entry, reason);
        effects.add(() -> closeNow(entry));
    }

    /** One connection to an address was found dead: the idle ones may be, too, however short a time they have been idle. */
    private void probeSuspects(long now) {
        for (AddressPool<K, C> home : ring.all()) {
            if (home.suspicious) {
                home.suspicious = false;
                drainSlots();
                List<Entry<K, C>> suspects = new ArrayList<>(home.idle());
                for (Entry<K, C> entry : suspects) {
                    home.removeIdle(entry);
                    if (entry.doom() != null) {
                        drop(entry);
                    } else {
                        probe(entry, now);
                    }
                }
                home.suspicious = false;
            }
        }
    }

    private void evictAll(AddressPool<K, C> home, String reason) {
        for (Entry<K, C> entry : home.entries) {
            entry.evict(reason);
            CompletableFuture<?> operation = entry.operation;
            if (operation != null) {
                effects.add(() -> operation.cancel(false));
            }
        }
        dropDoomed();
    }

    /** Closes what is over the bound: the idle ones at once, the oldest of the others when they come back. */
    private void trim(AddressPool<K, C> home) {
        int excess = home.live() - config.maxConnectionsPerAddress();
        for (Entry<K, C> entry : home.entries) {
            excess -= entry.doom() != null && entry.state() != EntryState.CLOSING ? 1 : 0;
        }
        while (excess > 0) {
            Entry<K, C> oldest = home.oldestIdle();
            if (oldest == null) {
                break;
            }
            dropIdle(oldest, "there are more than maxConnectionsPerAddress");
            excess--;
        }
        for (Entry<K, C> entry : home.entries) {
            if (excess > 0 && entry.doom() == null) {
                entry.evict("there are more than maxConnectionsPerAddress");
                excess--;
            }
        }
    }

    private void dropDoomed() {
        for (AddressPool<K, C> home : ring.all()) {
            for (Entry<K, C> entry : new ArrayList<>(home.idle())) {
                if (entry.doom() != null) {
                    home.removeIdle(entry);
                    drop(entry);
                }
            }
        }
    }

    /** Puts what is parked among the idle connections. */
    void drainSlots() {
        long now = ticker.nanoTime();
        slots.drainTo(entry -> admit(entry, now));
    }

    private void unparkFor(K key) {
        for (AddressPool<K, C> home : ring.all()) {
            if (home.hasIdle(key)) {
                return;
            }
        }
        Entry<K, C> entry = slots.steal(key);
        if (entry != null) {
            entry.home.addIdle(entry);
        }
    }

    int parked(AddressPool<K, C> home) {
        return slots.count(home);
    }

    // ---- opening, probing, lending and closing: a locked half that decides and a half without the lock that does it
    // ----

    /**
     * Has a connection opened.
     *
     * @param ahead whether nobody is there for whom it is opened
     * @param awaited whether it counts as being on its way to one who waits
     */
    private void connect(AddressPool<K, C> home, K key, long now, boolean ahead, boolean awaited) {
        Entry<K, C> entry = new Entry<>(nextId++, key, home, this, now, ahead, awaited);
        home.entries.add(entry);
        home.connecting++;
        if (awaited) {
            waiters.supply(key, 1);
        }
        begin(entry, config.connectTimeout().toNanos(), now);
        effects.add(() -> connectNow(entry));
    }

    private void connectNow(Entry<K, C> entry) {
        CompletableFuture<C> attempt;
        try {
            attempt = entry.ahead && factory.opensAhead(entry.key())
                    ? factory.connectAhead(entry.key(), entry.home.address, config.connectTimeout())
                    : factory.connect(entry.key(), entry.home.address, config.connectTimeout());
        } catch (RuntimeException e) {
            attempt = CompletableFuture.failedFuture(e);
        }
        track(entry, attempt);
        attempt.whenComplete((connection, failure) -> {
            entry.operation = null;
            if (connection == null) {
                decide(() -> connectFailed(entry, failure));
            } else {
                entry.opened(connection);
                watch(entry);
                boolean waits = canStayIdle(entry);
                decide(() -> connected(entry, waits));
            }
        });
    }

    /** @param waits whether it can wait for a caller to come */
    private void connected(Entry<K, C> entry, boolean waits) {
        long now = ticker.nanoTime();
        AddressPool<K, C> home = entry.home;
        home.connecting--;
        if (entry.awaited) {
            waiters.supply(entry.key(), -1);
        }
        if (home.failures > 0) {
            log.info("{} - {} is there again after {} failed connects", config.name(), home.address, home.failures);
            ring.forgetDebts();
        }
        home.failures = 0;
        home.created++;
        connectTime.record(now - entry.createdAt);
        long lifetime = config.maxLifetime().toNanos();
        entry.ageless = lifetime == 0;
        entry.expiresAt = now + lifetime - (long) (lifetime * LIFETIME_JITTER * random.nextDouble());
        entry.becomeIdle(now);
        if (!waits && (suspended || waiters.first(entry.key()) == null)) {
            entry.evict(UNWANTED);
        }
        serveOrAdmit(entry, now);
    }

    private void connectFailed(Entry<K, C> entry, @Nullable Throwable failure) {
        long now = ticker.nanoTime();
        AddressPool<K, C> home = entry.home;
        entry.moveTo(EntryState.CLOSED);
        home.entries.remove(entry);
        home.connecting--;
        if (entry.awaited) {
            waiters.supply(entry.key(), -1);
        }
        Throwable cause = unwrap(failure);
        if (entry.ahead && cause instanceof KeyRefusedException) {
            if (entry.key().equals(aheadKey)) {
                aheadKey = null;
            }
            noteFailure(home, text(cause), null);
            log.debug("{} - {} refuses {}: {}", config.name(), home.address, entry.key(), text(cause));
        } else if (!closed && !home.isGone()) {
            home.failures++;
            home.connectFailures++;
            home.retryAt = now + backoff(home.failures);
            armAt(home.retryAt, now);
            String text = cause instanceof CancellationException
                    ? "not connected within " + millis(now - entry.createdAt) + " ms"
                    : text(cause);
            noteFailure(home, text, cause);
            if (home.failures == 1) {
                log.warn("{} - cannot connect to {}: {}", config.name(), home.address, text);
            }
            // Not for what minIdle asks for: that would be closed for the next one.
            if (cause instanceof NoRoomException && !entry.ahead && waiters.first(entry.key()) != null) {
                makeRoomAt(home);
            }
        }
        forgetIfGone(home);
    }

    /** What is idle for another key is one of those that the peer has too many of. */
    private void makeRoomAt(AddressPool<K, C> home) {
        drainSlots();
        Entry<K, C> oldest = home.oldestIdle();
        if (oldest != null) {
            dropIdle(oldest, "the peer has no room for another key's");
        }
    }

    /** Doubles with each failure; a quarter of it is random, so that several pools do not try in step. */
    private long backoff(int failures) {
        long min = config.minBackoff().toNanos();
        long max = config.maxBackoff().toNanos();
        int doublings = Math.min(failures - 1, Long.numberOfLeadingZeros(min) - 2);
        long pause = Math.min(max, min << Math.min(doublings, 40));
        pause = pause <= 0 ? max : pause;
        return pause - (long) (pause * 0.25 * random.nextDouble());
    }

    void probe(Entry<K, C> entry, long now) {
        entry.moveTo(EntryState.PROBING);
        entry.home.probing++;
        waiters.supply(entry.key(), 1);
        begin(entry, config.probeTimeout().toNanos(), now);
        effects.add(() -> probeNow(entry));
    }

    private void probeNow(Entry<K, C> entry) {
        if (!isReusable(entry)) {
            decide(() -> probed(entry, false));
            return;
        }
        CompletableFuture<Boolean> attempt;
        try {
            attempt = factory.probe(entry.connection(), config.probeTimeout());
        } catch (RuntimeException e) {
            attempt = CompletableFuture.failedFuture(e);
        }
        track(entry, attempt);
        attempt.whenComplete((answer, failure) -> {
            entry.operation = null;
            boolean works = failure == null && Boolean.TRUE.equals(answer);
            if (works) {
                watch(entry);
            } else if (failure instanceof CancellationException) {
                entry.breakDown(
                        "no answer to a probe within " + config.probeTimeout().toMillis() + " ms");
            } else {
                entry.breakDown(
                        failure == null ? "a probe said it is dead" : "a probe failed: " + text(unwrap(failure)));
            }
            decide(() -> probed(entry, works));
        });
    }

    private void probed(Entry<K, C> entry, boolean works) {
        long now = ticker.nanoTime();
        entry.home.probing--;
        waiters.supply(entry.key(), -1);
        entry.moveTo(EntryState.IDLE);
        if (works) {
            entry.lastGood = now;
            serveOrAdmit(entry, now);
        } else {
            admit(entry, now);
        }
    }

    /** Notes until when an operation has to be finished. */
    private void begin(Entry<K, C> entry, long timeoutNanos, long now) {
        entry.operationDeadline = now + timeoutNanos;
        armAt(entry.operationDeadline, now);
        armAt(housekeeping.next(now), now);
    }

    private static void track(Entry<?, ?> entry, CompletableFuture<?> operation) {
        entry.operation = operation;
        if (operation.isDone()) {
            entry.operation = null;
        } else if (entry.doom() != null) {
            // Evicted before there was anything to cancel.
            operation.cancel(false);
        }
    }

    /** The last look before a connection changes hands. */
    private void deliver(Entry<K, C> entry, PendingAcquire<K, C> caller) {
        if (!isReusable(entry)) {
            decide(() -> {
                drop(entry);
                queueAgain(caller);
            });
            return;
        }
        PendingAcquire<K, C> receiver = waiters.anyReturned() ? firstInLine(caller) : caller;
        long now = ticker.nanoTime();
        Lease<C> lease = entry.lend(now, receiver.trace);
        if (!receiver.complete(lease)) {
            // Cancelled in the meantime: nobody has seen the lease.
            entry.uses--;
            if (!canStayIdle(entry)) {
                lease.retire(UNWANTED);
            }
            lease.release();
        } else if (receiver.sequence != 0) {
            acquireWait.record(now - receiver.startedAt);
        }
    }

    /** An earlier caller whose connection turned out to be dead on the way to it goes first. */
    private PendingAcquire<K, C> firstInLine(PendingAcquire<K, C> caller) {
        List<PendingAcquire<K, C>> chosen = new ArrayList<>();
        decide(() -> {
            PendingAcquire<K, C> first = waiters.first(caller.key);
            if (first == null || caller.sequence == 0 || first.sequence > caller.sequence) {
                chosen.add(caller);
                return;
            }
            waiters.remove(first);
            first.served = true;
            chosen.add(first);
            queueAgain(caller);
        });
        return chosen.get(0);
    }

    private void queueAgain(PendingAcquire<K, C> caller) {
        caller.served = false;
        if (!caller.isDone()) {
            waiters.add(caller);
            // The last tick may have been while it was not in the queue.
            armAt(caller.deadline, ticker.nanoTime());
        }
    }

    private void closeNow(Entry<K, C> entry) {
        try {
            factory.close(entry.connection());
        } catch (RuntimeException e) {
            log.warn("{} - {} could not be closed", config.name(), entry, e);
        }
        decide(() -> {
            AddressPool<K, C> home = entry.home;
            entry.moveTo(EntryState.CLOSED);
            home.closing--;
            home.closed++;
            home.pastUses += entry.uses;
            home.pastReuses += Math.max(0, entry.uses - 1);
            home.entries.remove(entry);
            forgetIfGone(home);
        });
    }

    private void forgetIfGone(AddressPool<K, C> home) {
        ring.forget(home);
        noteClosed();
    }

    private void noteClosed() {
        if (closed && ring.all().stream().allMatch(home -> home.entries.isEmpty())) {
            effects.add(() -> allClosed.complete(null));
        }
    }

    private void watch(Entry<K, C> entry) {
        try {
            factory.idle(entry.connection(), entry);
        } catch (RuntimeException e) {
            entry.breakDown("it cannot be watched: " + text(e));
        }
    }

    private boolean canStayIdle(Entry<K, C> entry) {
        try {
            return factory.canStayIdle(entry.connection());
        } catch (RuntimeException e) {
            log.warn("{} - {} is not known to be able to wait", config.name(), entry, e);
            return false;
        }
    }

    /** Ends the watch; false marks the entry. */
    private boolean isReusable(Entry<K, C> entry) {
        try {
            if (!factory.reuse(entry.connection())) {
                entry.breakDown("closed by the peer or unread bytes");
            }
        } catch (RuntimeException e) {
            entry.breakDown(text(e));
        }
        return entry.doom() == null;
    }

    // ---- time; locked ----

    /** Has {@link #tick} called at {@code when}, unless it will be earlier anyway. */
    void armAt(long when, long now) {
        if (armed && when - armedAt >= 0) {
            return;
        }
        armed = true;
        armedAt = when;
        effects.add(() -> scheduler.schedule(() -> tick(when), Math.max(0, when - now)));
    }

    private void tick(long when) {
        decide(() -> {
            // An earlier tick was asked for after this one: that one asks for the next.
            if (armed && armedAt == when) {
                armed = false;
                housekeeping.run(ticker.nanoTime(), effects);
            }
        });
    }

    void expire(PendingAcquire<K, C> caller, long now) {
        timeoutsTotal++;
        // Counted before it is taken out: it is one of those that wait.
        String text = describe("no connection to", " within " + millis(caller.deadline - caller.startedAt) + " ms");
        waiters.remove(caller);
        fail(caller, AcquireException.Reason.TIMEOUT, text, lastConnectFailureCause);
    }

    // ---- failures; locked ----

    private void failAll(AcquireException.Reason reason, String text, @Nullable Throwable cause) {
        PendingAcquire<K, C> caller = waiters.first();
        while (caller != null) {
            waiters.remove(caller);
            fail(caller, reason, text, cause);
            caller = waiters.first();
        }
    }

    private void fail(
            PendingAcquire<K, C> caller, AcquireException.Reason reason, String text, @Nullable Throwable cause) {
        effects.add(() -> caller.completeExceptionally(new AcquireException(reason, text, cause)));
    }

    private void noteFailure(AddressPool<K, C> home, String text, @Nullable Throwable cause) {
        home.lastFailure = text;
        home.lastFailureTime = Instant.now();
        lastFailure = text;
        lastFailureTime = home.lastFailureTime;
        if (cause != null) {
            lastConnectFailureCause = cause;
            lastConnectFailure = text;
        }
    }

    /** {@code no connection to 127.0.0.1:3306 within 30000 ms (total 20 of 20, …; last connect failure: …)}. */
    private String describe(String start, String within) {
        List<String> names = new ArrayList<>();
        int total = 0;
        int active = 0;
        int idle = 0;
        int bound = 0;
        for (AddressPool<K, C> home : ring.all()) {
            int parked = slots.count(home);
            total += home.entries.size();
            active += home.active(parked);
            idle += home.idle().size() + parked;
            if (!home.isGone()) {
                bound += config.maxConnectionsPerAddress();
                names.add(home.address.toString());
            }
        }
        String where = switch (names.size()) {
            case 0 -> "any address (none is known)";
            case 1 -> names.get(0);
            default ->
                "any of %d addresses (%s%s)"
                        .formatted(
                                names.size(),
                                String.join(", ", names.subList(0, Math.min(3, names.size()))),
                                names.size() > 3 ? ", …" : "");
        };
        return "%s %s%s (total %d of %d, active %d, idle %d, waiting %d%s; %s)"
                .formatted(
                        start,
                        where,
                        within,
                        total,
                        bound,
                        active,
                        idle,
                        waiters.size(),
                        suspended ? ", suspended" : "",
                        lastConnectFailure == null
                                ? "no connect has failed"
                                : "last connect failure: " + lastConnectFailure);
    }

    private static Throwable trace() {
        return new Throwable("acquired here by thread " + Thread.currentThread().getName());
    }

    private static Throwable unwrap(@Nullable Throwable failure) {
        if (failure == null) {
            return new IllegalStateException("the factory completed with null");
        }
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    private static String text(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }

    private static long seconds(long nanos) {
        return nanos / 1_000_000_000;
    }

    // ---- for readers ----

    /** Runs a question under the lock. */
    <T> T ask(Supplier<T> question) {
        lock.lock();
        try {
            return question.get();
        } finally {
            lock.unlock();
        }
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.Scheduler;
import org.tiproxy.session.SessionConfig;
import org.tiproxy.session.TlsMode;

/**
 * The engine within a process: pools by address and user, and the sessions of its drivers. The housekeeping of all pools
 * runs on the scheduler's thread. Thread-safe.
 */
public final class InProcessProxy implements DriverProxy, AutoCloseable {
    /** As in the service: far above the thread ids that servers count up from 1. */
    private static final int VIRTUAL_ID_BASE = 0x4000_0000;

    private static final int VIRTUAL_ID_MASK = 0x3fff_ffff;

    private final PoolConfig pooling;
    private final Function<HostPort, List<HostPort>> backends;
    private final Ticker ticker;
    private final Scheduler scheduler;
    private final PoolListener listener;
    private final SessionRegistry sessions = new SessionRegistry(0);
    private final Map<String, InProcessPool> pools = new ConcurrentHashMap<>();
    private final @Nullable AccountMemory accounts;
    private final SecureRandom random = new SecureRandom();
    private final SessionConfig sessionConfig = SessionConfig.of(TlsMode.DISABLED, TlsMode.DISABLED, () -> {
        throw new IllegalStateException("no RSA within a process");
    });

    /**
     * An engine without pools yet.
     *
     * @param pooling bounds and time-outs of each pool; {@code minIdle} says how many idle ones stay open
     *     longer than {@code idleTimeout}
     * @param backends where connections to an address, as drivers name it, really go; at least one
     * @param scheduler one thread for all pools; stays open when the engine is closed, for as long as any session lasts:
     *     without it nothing ends a wait for a backend that is silent
     * @param reportsUnsupported whether an account that the engine cannot log in is reported by {@link #open}, because
     *     drivers can connect by themselves; otherwise it is by an ERR, when the driver logs in
     */
    public InProcessProxy(
            PoolConfig pooling,
            Function<HostPort, List<HostPort>> backends,
            Ticker ticker,
            Scheduler scheduler,
            PoolListener listener,
            boolean reportsUnsupported) {
        this.pooling = pooling;
        this.backends = backends;
        this.ticker = ticker;
        this.scheduler = scheduler;
        this.listener = listener;
        this.accounts = reportsUnsupported ? new AccountMemory(ticker) : null;
    }

    @Override
    public DriverConnection open(DriverLogin login) throws IOException {
        if (accounts != null) {
            accounts.check(login);
        }
        InProcessPool pool = poolOf(login);
        InProcessSession session = new InProcessSession(this, pool, login);
        sessions.tryAdmit();
        sessions.add(session);
        try {
            session.begin();
            return session;
        } catch (UnsupportedAccountException e) {
            // Nothing has failed yet: the driver connects by itself.
            session.close();
            throw e;
        } catch (IOException | RuntimeException | Error e) {
            // Also of a library that is missing: the driver goes on without us, and nothing may stay behind.
            session.close();
            sessions.countFailed();
            throw e;
        }
    }

    private InProcessPool poolOf(DriverLogin login) {
        // Most often it is there; computeIfAbsent would lock.
        InProcessPool known = pools.get(login.poolName());
        if (known != null) {
            return known;
        }
        InProcessPool made =
                new InProcessPool(login.poolName(), backends.apply(login.address()), pooling, ticker, scheduler);
        InProcessPool before = pools.putIfAbsent(login.poolName(), made);
        if (before != null) {
            made.close();
            return before;
        }
        listener.poolOpened(made.name(), made);
        return made;
    }

    /**
     * Closes an idle connection for which the backend has refused another one.
     *
     * @param own who was refused
     * @return false if there is none
     */
    boolean makeRoom(InProcessPool own, RefusedException refusal) {
        if (own.closeLongestIdle(refusal.backend())) {
            return true;
        }
        return refusal.isForWantOfRoomForAnybody()
                && pools.values().stream().anyMatch(pool -> pool.closeLongestIdle(refusal.backend()));
    }

    /** The sessions, and what is counted over them. */
    public SessionRegistry sessions() {
        return sessions;
    }

    /** For tests. */
    InProcessPool onlyPool() {
        return pools.values().iterator().next();
    }

    /** What is known of accounts; null if nobody wants to know. */
    @Nullable
    AccountMemory accounts() {
        return accounts;
    }

    Ticker ticker() {
        return ticker;
    }

    SecureRandom random() {
        return random;
    }

    SessionConfig sessionConfig() {
        return sessionConfig;
    }

    /** How long a session waits for the answers of the backend's that are the proxy's own business. */
    Duration talkTimeout() {
        return pooling.probeTimeout();
    }

    static int virtualId(long sessionId) {
        return VIRTUAL_ID_BASE | (int) (sessionId & VIRTUAL_ID_MASK);
    }

    long backendIdOf(long virtualId) {
        if ((virtualId & ~VIRTUAL_ID_MASK) != VIRTUAL_ID_BASE) {
            return 0;
        }
        ProxySession victim = sessions.find(virtualId & VIRTUAL_ID_MASK);
        return victim == null ? 0 : victim.aimKill();
    }

    /** Closes all pools: idle connections at once, the others when their sessions end. */
    @Override
    public void close() {
        pools.values().forEach(pool -> {
            pools.remove(pool.name());
            pool.close();
            listener.poolClosed(pool.name());
        });
    }
}

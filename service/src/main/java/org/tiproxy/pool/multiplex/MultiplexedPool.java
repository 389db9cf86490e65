package org.tiproxy.pool.multiplex;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.pool.AddressSource;
import org.tiproxy.pool.Scheduler;
import org.tiproxy.pool.TimerThread;
import org.tiproxy.pool.WeightedAddress;

/**
 * Spreads requests over a few multiplexed connections to one or several addresses: over the addresses by weighted round
 * robin, over an address's connections by how much is in flight. Connections are opened when there is something to send
 * and all that are open are busy, and again after they were lost, with a growing pause after failures.
 *
 * <p>A request that was sent is never sent again: when its connection is lost, its future fails with {@link IOException},
 * since nobody knows whether the peer carried it out. Thread-safe; nothing blocks.
 */
public final class MultiplexedPool implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MultiplexedPool.class);
    private static final long MIN_BACKOFF_NANOS = 100_000_000;
    private static final long MAX_BACKOFF_NANOS = 4_000_000_000L;
    private static final long DRAIN_CHECK_NANOS = 100_000_000;

    /**
     * How a pool behaves.
     *
     * @param connectionsPerAddress 1 or more
     * @param connectTimeout how long opening a connection may take, and a request may wait for one
     * @param requestTimeout how long an answer may take; zero for ever
     */
    public record Config(int connectionsPerAddress, Duration connectTimeout, Duration requestTimeout) {
        /** Checks the ranges. */
        public Config {
            if (connectionsPerAddress < 1) {
                throw new IllegalArgumentException("connectionsPerAddress " + connectionsPerAddress + " is below 1");
            }
            if (connectTimeout.isNegative() || connectTimeout.isZero() || requestTimeout.isNegative()) {
                throw new IllegalArgumentException("connectTimeout %s is not positive or requestTimeout %s is negative"
                        .formatted(connectTimeout, requestTimeout));
            }
        }
    }

    /** A request that waits for a connection. */
    private record Waiting(LongFunction<ByteBuffer> encode, Duration timeout, CompletableFuture<ByteBuffer> answer) {}

    private final Connector connector;
    private final FrameCodec codec;
    private final Config config;
    private final Ticker ticker;
    private final Scheduler scheduler;
    private final AddressSource.Subscription subscription;

    /** Guards what follows; held for decisions only. */
    private final ReentrantLock lock = new ReentrantLock();

    private final List<Target> targets = new ArrayList<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private boolean closed;
    private @Nullable Throwable lastFailure;
    private long createdTotal;
    private long connectFailuresTotal;
    private long lostTotal;

    private final LongAdder requestsTotal = new LongAdder();

    /**
     * A pool that is told the time.
     *
     * @param scheduler stays open when the pool is closed, like the connector
     */
    public MultiplexedPool(
            Connector connector,
            FrameCodec codec,
            AddressSource addresses,
            Config config,
            Ticker ticker,
            Scheduler scheduler) {
        this.connector = connector;
        this.codec = codec;
        this.config = config;
        this.ticker = ticker;
        this.scheduler = scheduler;
        this.subscription = addresses.subscribe(this::setAddresses);
    }

    /** A pool on the system's clock; close the timer and the connector after it. */
    public static MultiplexedPool create(
            Connector connector, FrameCodec codec, AddressSource addresses, Config config, TimerThread timer) {
        return new MultiplexedPool(connector, codec, addresses, config, Ticker.SYSTEM, timer);
    }

    /**
     * Sends a request and waits for its answer no longer than the configured {@code requestTimeout}.
     *
     * @param encode makes the frame for the id it is given; called once, on any thread
     * @return the answer's whole frame. Cancel it to give up
     */
    public CompletableFuture<ByteBuffer> request(LongFunction<ByteBuffer> encode) {
        return request(encode, config.requestTimeout());
    }

    /** The same with a time-out of its own, which begins when the request is sent. */
    public CompletableFuture<ByteBuffer> request(LongFunction<ByteBuffer> encode, Duration timeout) {
        requestsTotal.increment();
        return send(encode, timeout);
    }

    private CompletableFuture<ByteBuffer> send(LongFunction<ByteBuffer> encode, Duration timeout) {
        MultiplexedConnection connection;
        Target toOpen = null;
        Waiting queued = null;
        lock.lock();
        try {
            if (closed) {
                return CompletableFuture.failedFuture(new IOException("the pool is closed"));
            }
            long now = ticker.nanoTime();
            Target target = next(now);
            connection = target == null ? null : target.leastBusy();
            if (target != null && target.wantsMore(connection, config, now)) {
                target.connecting++;
                toOpen = target;
            }
            if (connection == null) {
                if (target == null && !anyConnecting()) {
                    return CompletableFuture.failedFuture(noConnection());
                }
                queued = new Waiting(encode, timeout, new CompletableFuture<>());
                waiting.add(queued);
            }
        } finally {
            lock.unlock();
        }
        if (toOpen != null) {
            open(toOpen);
        }
        if (connection != null) {
            return connection.request(encode, timeout);
        }
        return queued == null ? CompletableFuture.failedFuture(noConnection()) : queued.answer;
    }

    /** The numbers of this moment. */
    public MultiplexedStatistics statistics() {
        lock.lock();
        try {
            Throwable last = lastFailure;
            return new MultiplexedStatistics(
                    connections(),
                    targets.stream().mapToInt(target -> target.connecting).sum(),
                    inFlight(),
                    waiting.size(),
                    requestsTotal.sum(),
                    createdTotal,
                    connectFailuresTotal,
                    lostTotal,
                    last == null ? null : text(last));
        } finally {
            lock.unlock();
        }
    }

    /** Open connections. */
    public int connections() {
        lock.lock();
        try {
            return targets.stream().mapToInt(target -> target.open.size()).sum();
        } finally {
            lock.unlock();
        }
    }

    /** Requests whose answers have not come. */
    public int inFlight() {
        lock.lock();
        try {
            return targets.stream()
                    .flatMap(target -> target.open.stream())
                    .mapToInt(MultiplexedConnection::inFlight)
                    .sum();
        } finally {
            lock.unlock();
        }
    }

    /** Closes the connections; what is in flight or waits for a connection fails. */
    @Override
    public void close() {
        subscription.close();
        List<MultiplexedConnection> open = new ArrayList<>();
        List<Waiting> refused;
        lock.lock();
        try {
            closed = true;
            for (Target target : targets) {
                target.weight = 0;
                open.addAll(target.open);
            }
            refused = takeWaiting();
        } finally {
            lock.unlock();
        }
        open.forEach(MultiplexedConnection::close);
        refused.forEach(one -> one.answer.completeExceptionally(new IOException("the pool is closed")));
    }

    // ---- addresses ----

    /** One address; guarded by the lock. */
    private static final class Target {
        final HostPort address;
        /** 0 once the address is gone. */
        int weight;

        long standing;
        final List<MultiplexedConnection> open = new ArrayList<>();
        int connecting;
        int failures;
        long retryAt;

        Target(HostPort address) {
            this.address = address;
        }

        boolean canConnect(Config config, long now) {
            return open.size() + connecting < config.connectionsPerAddress()
                    && (failures == 0 || (connecting == 0 && now - retryAt >= 0));
        }

        boolean wantsMore(@Nullable MultiplexedConnection leastBusy, Config config, long now) {
            return (leastBusy == null || leastBusy.inFlight() > 0) && canConnect(config, now);
        }

        @Nullable
        MultiplexedConnection leastBusy() {
            MultiplexedConnection best = null;
            for (MultiplexedConnection one : open) {
                if (one.isOpen() && (best == null || one.inFlight() < best.inFlight())) {
                    best = one;
                }
            }
            return best;
        }
    }

    private void setAddresses(List<WeightedAddress> wanted) {
        List<MultiplexedConnection> leaving = new ArrayList<>();
        lock.lock();
        try {
            for (Target target : targets) {
                target.weight = 0;
                target.standing = 0;
            }
            for (WeightedAddress one : wanted) {
                Target target = targets.stream()
                        .filter(any -> any.address.equals(one.address()))
                        .findFirst()
                        .orElse(null);
                if (target == null) {
                    target = new Target(one.address());
                    targets.add(target);
                }
                target.weight = one.weight();
            }
            for (Target target : targets) {
                if (target.weight == 0) {
                    leaving.addAll(target.open);
                    target.open.clear();
                }
            }
            targets.removeIf(target -> target.weight == 0);
        } finally {
            lock.unlock();
        }
        leaving.forEach(this::closeWhenAnswered);
    }

    /** Requests that were sent may still be answered, for as long as a request may take. */
    private void closeWhenAnswered(MultiplexedConnection connection) {
        long limit = ticker.nanoTime()
                + (config.requestTimeout().isZero() ? config.connectTimeout() : config.requestTimeout()).toNanos();
        scheduler.schedule(() -> closeIfAnswered(connection, limit), 0);
    }

    private void closeIfAnswered(MultiplexedConnection connection, long limit) {
        if (connection.inFlight() == 0 || ticker.nanoTime() - limit >= 0) {
            connection.close();
        } else if (connection.isOpen()) {
            scheduler.schedule(() -> closeIfAnswered(connection, limit), DRAIN_CHECK_NANOS);
        }
    }

    /** Smooth weighted round robin over the addresses that can take a request; locked. */
    private @Nullable Target next(long now) {
        Target best = null;
        long sum = 0;
        for (Target target : targets) {
            if (target.weight > 0 && (target.leastBusy() != null || target.canConnect(config, now))) {
                sum += target.weight;
                target.standing += target.weight;
                if (best == null || target.standing > best.standing) {
                    best = target;
                }
            }
        }
        if (best != null) {
            best.standing -= sum;
        }
        return best;
    }

    private boolean anyConnecting() {
        return targets.stream().anyMatch(target -> target.connecting > 0);
    }

    private List<Waiting> takeWaiting() {
        List<Waiting> all = new ArrayList<>(waiting);
        waiting.clear();
        return all;
    }

    private IOException noConnection() {
        List<String> names =
                targets.stream().map(target -> target.address.toString()).toList();
        Throwable last = lastFailure;
        return new IOException(
                "no connection to %s (%s)"
                        .formatted(
                                names.isEmpty() ? "any address (none is known)" : String.join(", ", names),
                                last == null ? "no connect has failed" : "last connect failure: " + text(last)),
                last);
    }

    // ---- connections ----

    private void open(Target target) {
        CompletableFuture<Transport> attempt;
        try {
            attempt = connector.connect(target.address, config.connectTimeout());
        } catch (RuntimeException e) {
            attempt = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Transport> limited = attempt;
        if (!limited.isDone()) {
            scheduler.schedule(
                    () -> limited.cancel(false), config.connectTimeout().toNanos());
        }
        attempt.whenComplete((transport, failure) -> {
            if (transport != null) {
                opened(target, transport);
            } else {
                failed(target, failure);
            }
        });
    }

    private void opened(Target target, Transport transport) {
        MultiplexedConnection connection =
                new MultiplexedConnection(target.address.toString(), transport, codec, ticker, scheduler);
        boolean unwanted;
        List<Waiting> ready = List.of();
        lock.lock();
        try {
            target.connecting--;
            target.failures = 0;
            createdTotal++;
            unwanted = closed || target.weight == 0;
            if (!unwanted) {
                target.open.add(connection);
                ready = takeWaiting();
            }
        } finally {
            lock.unlock();
        }
        if (unwanted) {
            connection.close();
            retryWaiting();
        }
        connection.closed().whenComplete((nothing, failure) -> forget(target, connection));
        ready.forEach(this::resend);
    }

    private void forget(Target target, MultiplexedConnection connection) {
        lock.lock();
        try {
            if (target.open.remove(connection) && !closed) {
                lostTotal++;
            }
        } finally {
            lock.unlock();
        }
    }

    private void failed(Target target, @Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause == null || cause instanceof CancellationException) {
            cause = new IOException(
                    "not connected within " + config.connectTimeout().toMillis() + " ms");
        }
        boolean first;
        lock.lock();
        try {
            target.connecting--;
            target.failures++;
            connectFailuresTotal++;
            first = target.failures == 1 && target.weight > 0;
            long pause = Math.min(MAX_BACKOFF_NANOS, MIN_BACKOFF_NANOS << Math.min(10, target.failures - 1));
            target.retryAt = ticker.nanoTime() + pause;
            lastFailure = cause;
        } finally {
            lock.unlock();
        }
        if (first) {
            log.warn("Cannot connect to {}: {}", target.address, text(cause));
        }
        retryWaiting();
    }

    /** Those that wait go to another address, or fail if there is none left to try. */
    private void retryWaiting() {
        List<Waiting> again;
        lock.lock();
        try {
            again = takeWaiting();
        } finally {
            lock.unlock();
        }
        again.forEach(this::resend);
    }

    private void resend(Waiting one) {
        if (one.answer.isDone()) {
            return;
        }
        CompletableFuture<ByteBuffer> sent;
        try {
            sent = send(one.encode, one.timeout);
        } catch (RuntimeException e) {
            one.answer.completeExceptionally(e);
            return;
        }
        sent.whenComplete((answer, failure) -> {
            if (failure != null) {
                one.answer.completeExceptionally(failure);
            } else {
                one.answer.complete(answer);
            }
        });
        one.answer.whenComplete((answer, failure) -> {
            if (failure != null) {
                sent.cancel(false);
            }
        });
    }

    private static String text(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }
}

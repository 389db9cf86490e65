package org.tiproxy.pool.multiplex;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Ticker;
import org.tiproxy.pool.Scheduler;

/**
 * One connection that many callers use at the same time. Each request has an id; the answer with that id completes the
 * request's future, in whatever order answers come. Thread-safe; nothing blocks.
 *
 * <ul>
 *   <li>An id that is in flight cannot be used again: the second request fails with {@link IllegalStateException}, the
 *       first is not disturbed.
 *   <li>A request that is cancelled or times out keeps its id until its answer has come, which is then dropped: otherwise
 *       a late answer could be taken for that of another request. After {@link #MAX_ABANDONED} of them the connection is
 *       closed, since its peer does not seem to answer.
 *   <li>An answer to a question that nobody asked closes the connection with {@link ProtocolException}, unless the codec
 *       calls it unsolicited: who has lost count cannot be trusted.
 *   <li>When the connection ends, for whatever reason, every request in flight fails with {@link IOException}, and so does
 *       every later one.
 * </ul>
 *
 * Futures are completed by the thread that reads, keeps time or closes: attach quick work only, or use the {@code Async}
 * methods. No lock is held meanwhile.
 */
public final class MultiplexedConnection implements AutoCloseable {
    /** How many requests may be given up whose answers have not come. */
    public static final int MAX_ABANDONED = 1024;

    /** Time-outs are looked for no more often than this. */
    private static final long SWEEP_NANOS = 5_000_000;

    private static final long NEVER = Long.MIN_VALUE;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** A request whose answer has not come. */
    private static final class InFlight extends CompletableFuture<ByteBuffer> {
        final long deadline;
        final Duration timeout;

        InFlight(long deadline, Duration timeout) {
            this.deadline = deadline;
            this.timeout = timeout;
        }

        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new CompletableFuture<>();
        }
    }

    private final String name;
    private final Transport transport;
    private final FrameCodec codec;
    private final Ticker ticker;
    private final Scheduler scheduler;

    private final Map<Long, InFlight> inFlight = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final AtomicLong abandoned = new AtomicLong();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    /** Why there is no use in asking any more; written before the requests in flight are failed. */
    private volatile @Nullable IOException end;

    /** Guards the sweep's timer. */
    private final ReentrantLock timing = new ReentrantLock();

    private long sweepAt = NEVER;

    /** Bytes of a frame that has not arrived in full; of the reading thread only. */
    private ByteBuffer partial = NOTHING;

    /**
     * Starts to read.
     *
     * @param name what messages call it: {@code 127.0.0.1:6379}
     */
    public MultiplexedConnection(
            String name, Transport transport, FrameCodec codec, Ticker ticker, Scheduler scheduler) {
        this.name = name;
        this.transport = transport;
        this.codec = codec;
        this.ticker = ticker;
        this.scheduler = scheduler;
        transport.start(new Transport.Receiver() {
            @Override
            public void received(ByteBuffer bytes) {
                receive(bytes);
            }

            @Override
            public void closed(@Nullable Throwable cause) {
                end(cause);
            }
        });
    }

    // ---- asking ----

    /**
     * Registers a request that the caller sends by {@link #write}; register first, send afterwards. The future is
     * completed with the answer's whole frame.
     *
     * @param requestId unique among the requests in flight
     */
    public CompletableFuture<ByteBuffer> putRequest(long requestId) {
        return putRequest(requestId, Duration.ZERO);
    }

    /**
     * The same with a time-out.
     *
     * @param timeout after which the future fails with {@link TimeoutException}; zero for never
     */
    public CompletableFuture<ByteBuffer> putRequest(long requestId, Duration timeout) {
        long now = ticker.nanoTime();
        InFlight request = new InFlight(deadline(now, timeout), timeout);
        if (inFlight.putIfAbsent(requestId, request) != null) {
            return CompletableFuture.failedFuture(new IllegalStateException(
                    "request id " + requestId + " is already in flight on the connection to " + name));
        }
        if (end != null) {
            // The connection ended; whoever ended it may or may not have seen this request.
            inFlight.remove(requestId, request);
            request.completeExceptionally(lost());
            return request;
        }
        request.whenComplete((answer, failure) -> {
            if (failure != null && end == null) {
                abandon(failure);
            }
        });
        if (request.deadline != NEVER) {
            armSweep(request.deadline, now);
        }
        return request;
    }

    /** Sends bytes: one or several whole requests. */
    public void write(ByteBuffer bytes) {
        transport.write(bytes);
    }

    /**
     * Sends a request with the next free id.
     *
     * @param encode makes the frame for the id it is given
     * @param timeout after which the future fails with {@link TimeoutException}; zero for never
     */
    public CompletableFuture<ByteBuffer> request(LongFunction<ByteBuffer> encode, Duration timeout) {
        long id = nextRequestId();
        CompletableFuture<ByteBuffer> answer = putRequest(id, timeout);
        if (!answer.isCompletedExceptionally()) {
            ByteBuffer frame;
            try {
                frame = encode.apply(id);
            } catch (RuntimeException e) {
                // Never sent, so that no answer will come.
                inFlight.remove(id);
                throw e;
            }
            transport.write(frame);
        }
        return answer;
    }

    /** An id that is not in flight at the moment. */
    public long nextRequestId() {
        while (true) {
            long id = Math.floorMod(lastId.getAndIncrement(), codec.maxRequestId()) + 1;
            if (!inFlight.containsKey(id)) {
                return id;
            }
        }
    }

    // ---- for readers ----

    /** Requests whose answers have not come, those included that were given up. */
    public int inFlight() {
        return inFlight.size();
    }

    /** True until it has ended. */
    public boolean isOpen() {
        return end == null;
    }

    /** Completes when the connection has ended and all its requests have failed. */
    public CompletableFuture<Void> closed() {
        return closed.copy();
    }

    /** Ends the connection; requests in flight fail. */
    @Override
    public void close() {
        end(null);
    }

    /** {@code connection to 127.0.0.1:6379, 3 in flight}. */
    @Override
    public String toString() {
        return "connection to " + name + ", " + inFlight.size() + " in flight";
    }

    // ---- answers ----

    private void receive(ByteBuffer bytes) {
        try {
            boolean resumed = partial.hasRemaining();
            ByteBuffer input = resumed ? joined(bytes) : bytes;
            while (input.hasRemaining()) {
                int length = codec.frameLength(input.asReadOnlyBuffer());
                if (length > codec.maxFrameLength()) {
                    throw new ProtocolException(
                            "a frame of %d bytes is longer than %d".formatted(length, codec.maxFrameLength()));
                }
                if (length == FrameCodec.INCOMPLETE || length > input.remaining()) {
                    break;
                }
                if (length <= 0) {
                    throw new ProtocolException("a frame of " + length + " bytes");
                }
                byte[] frame = new byte[length];
                input.get(frame);
                answer(ByteBuffer.wrap(frame));
            }
            if (resumed) {
                dropIfRead();
            } else {
                keep(input);
            }
        } catch (ProtocolException | RuntimeException e) {
            end(e);
        }
    }

    private ByteBuffer joined(ByteBuffer bytes) {
        // Grown by doubling: a long frame in small pieces is not copied at every piece.
        if (partial.capacity() - partial.limit() < bytes.remaining()) {
            int needed = partial.remaining() + bytes.remaining();
            ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, 2 * partial.remaining()));
            larger.put(partial).flip();
            partial = larger;
        }
        int start = partial.position();
        int end = partial.limit();
        partial.limit(end + bytes.remaining()).position(end);
        partial.put(bytes);
        partial.position(start);
        return partial;
    }

    /** The rest of {@code input} waits for what follows. */
    private void keep(ByteBuffer input) {
        if (input.hasRemaining()) {
            partial = ByteBuffer.allocate(input.remaining());
            partial.put(input).flip();
        }
    }

    /** An idle connection keeps no buffer. */
    private void dropIfRead() {
        if (!partial.hasRemaining()) {
            partial = NOTHING;
        }
    }

    private void answer(ByteBuffer frame) throws ProtocolException {
        if (codec.isUnsolicited(frame.asReadOnlyBuffer())) {
            return;
        }
        long id = codec.requestId(frame.asReadOnlyBuffer());
        InFlight request = inFlight.remove(id);
        if (request == null) {
            throw new ProtocolException("an answer to request id " + id + ", which nobody asked");
        }
        if (!request.complete(frame)) {
            abandoned.decrementAndGet();
        }
    }

    // ---- giving up ----

    private void abandon(Throwable failure) {
        if (abandoned.incrementAndGet() > MAX_ABANDONED) {
            IOException cause = new IOException(
                    MAX_ABANDONED + " requests were given up without an answer, the last because of " + failure);
            // Not within the caller's own cancel: the others' futures may run anything.
            scheduler.schedule(() -> end(cause), 0);
        }
    }

    private static long deadline(long now, Duration timeout) {
        if (timeout.isZero()) {
            return NEVER;
        }
        long deadline = now + timeout.toNanos();
        return deadline == NEVER ? deadline + 1 : deadline;
    }

    private void armSweep(long when, long now) {
        timing.lock();
        try {
            if (sweepAt != NEVER && when - sweepAt >= 0) {
                return;
            }
            sweepAt = when;
        } finally {
            timing.unlock();
        }
        scheduler.schedule(() -> sweep(when), Math.max(0, when - now));
    }

    private void sweep(long when) {
        timing.lock();
        try {
            if (sweepAt != when) {
                // Another sweep was asked for that is earlier.
                return;
            }
            sweepAt = NEVER;
        } finally {
            timing.unlock();
        }
        long now = ticker.nanoTime();
        long next = NEVER;
        for (InFlight request : inFlight.values()) {
            if (request.deadline == NEVER || request.isDone()) {
                continue;
            }
            if (request.deadline - now <= 0) {
                request.completeExceptionally(new TimeoutException(
                        "no answer from %s within %d ms".formatted(name, request.timeout.toMillis())));
            } else if (next == NEVER || request.deadline - next < 0) {
                next = request.deadline;
            }
        }
        if (next != NEVER) {
            armSweep(next - now < SWEEP_NANOS ? now + SWEEP_NANOS : next, now);
        }
    }

    // ---- the end ----

    private void end(@Nullable Throwable cause) {
        timing.lock();
        try {
            if (end != null) {
                return;
            }
            String what = cause == null ? "was closed" : "was lost: " + text(cause);
            end = new IOException("the connection to " + name + " " + what, cause);
        } finally {
            timing.unlock();
        }
        transport.close();
        // Whoever registers from now on sees the end; whoever did before is here, or removes itself.
        List<InFlight> all = new ArrayList<>();
        for (Iterator<InFlight> i = inFlight.values().iterator(); i.hasNext(); ) {
            all.add(i.next());
            i.remove();
        }
        for (InFlight request : all) {
            request.completeExceptionally(lost());
        }
        closed.complete(null);
    }

    private IOException lost() {
        IOException first = end;
        return first == null ? new IOException("closed") : new IOException(first.getMessage(), first.getCause());
    }

    private static String text(Throwable cause) {
        return cause instanceof CancellationException || cause.getMessage() == null
                ? cause.getClass().getSimpleName()
                : cause.getMessage();
    }
}

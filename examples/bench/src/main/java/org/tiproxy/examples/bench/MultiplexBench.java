package org.tiproxy.examples.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.tiproxy.common.HostPort;
import org.tiproxy.pool.ConnectionPool;
import org.tiproxy.pool.Lease;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.SocketConnection;
import org.tiproxy.pool.SocketConnectionFactory;
import org.tiproxy.pool.StaticAddresses;
import org.tiproxy.pool.TimerThread;
import org.tiproxy.pool.multiplex.FrameCodec;
import org.tiproxy.pool.multiplex.MultiplexedPool;
import org.tiproxy.pool.multiplex.SelectorLoop;

/**
 * 1,000 callers over 16 connections to a server that takes a few milliseconds per request: connections lent to one caller
 * at a time beside connections that all callers share. Both take turns; prints a Markdown table.
 */
public final class MultiplexBench {
    private static final int CALLERS = 1000;
    private static final int CONNECTIONS = 16;
    private static final int FRAME = 64;
    private static final Duration DELAY = Duration.ofMillis(5);
    private static final Duration SLICE = Duration.ofSeconds(3);
    private static final int ROUNDS = 5;

    private MultiplexBench() {}

    private interface Request {
        void run() throws Exception;
    }

    /** Length, id, and bytes that do not matter. */
    private static final class Codec implements FrameCodec {
        @Override
        public int frameLength(ByteBuffer bytes) {
            return bytes.remaining() < Integer.BYTES ? INCOMPLETE : bytes.getInt(bytes.position());
        }

        @Override
        public long requestId(ByteBuffer frame) {
            return frame.getLong(frame.position() + Integer.BYTES);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Locale.setDefault(Locale.ROOT);
        try (SlowEcho server = new SlowEcho(DELAY);
                SocketConnectionFactory sockets = new SocketConnectionFactory();
                SelectorLoop loop = new SelectorLoop();
                TimerThread timer = new TimerThread("requests")) {
            StaticAddresses address = StaticAddresses.of(new HostPort("127.0.0.1", server.port()));
            ConnectionPool<SocketConnection> exclusive = ConnectionPool.create(
                    sockets,
                    address,
                    PoolConfig.builder().maxConnectionsPerAddress(CONNECTIONS).build());
            MultiplexedPool shared = MultiplexedPool.create(
                    loop,
                    new Codec(),
                    address,
                    new MultiplexedPool.Config(CONNECTIONS, Duration.ofSeconds(5), Duration.ofSeconds(30)),
                    timer);
            try (exclusive;
                    shared) {
                report(() -> lend(exclusive), () -> share(shared));
            }
        }
        System.exit(0);
    }

    private static void report(Request exclusive, Request shared) throws Exception {
        double[] lent = new double[ROUNDS];
        double[] sharing = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        perSecond(exclusive);
        perSecond(shared);
        for (int round = 0; round < ROUNDS; round++) {
            lent[round] = perSecond(exclusive);
            sharing[round] = perSecond(shared);
            ratios[round] = sharing[round] / lent[round];
        }
        System.out.println("| 1,000 callers, 16 connections, 5 ms per request | requests/s | ratio |");
        System.out.println("|---|---:|---:|");
        System.out.printf("| each connection lent to one caller at a time | %,.0f | |%n", median(lent));
        System.out.printf("| connections shared by request id | %,.0f | %.1f |%n", median(sharing), median(ratios));
    }

    private static double median(double[] numbers) {
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double perSecond(Request request) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
        try {
            long start = System.nanoTime();
            Callable<Integer> caller = () -> {
                int count = 0;
                while (System.nanoTime() - start < SLICE.toNanos()) {
                    request.run();
                    count++;
                }
                return count;
            };
            List<Future<Integer>> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                callers.add(threads.submit(caller));
            }
            int count = 0;
            for (Future<Integer> each : callers) {
                count += each.get();
            }
            return count / ((System.nanoTime() - start) / 1e9);
        } finally {
            threads.shutdownNow();
        }
    }

    private static void lend(ConnectionPool<SocketConnection> pool) throws InterruptedException, IOException {
        Lease<SocketConnection> lease = pool.acquire();
        try {
            lease.connection().output().write(frame(1).array());
            byte[] answer = lease.connection().input().readNBytes(FRAME);
            if (answer.length != FRAME) {
                throw new IOException("the server has closed the connection");
            }
        } catch (IOException e) {
            lease.markBroken(String.valueOf(e.getMessage()));
            throw e;
        } finally {
            lease.release();
        }
    }

    private static void share(MultiplexedPool pool) throws InterruptedException, ExecutionException {
        pool.request(MultiplexBench::frame).get();
    }

    private static ByteBuffer frame(long id) {
        return ByteBuffer.allocate(FRAME).putInt(0, FRAME).putLong(Integer.BYTES, id);
    }
}

package org.tiproxy.examples.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Short visits: connect, one request, its answer, close; a fixed number of them at any time, driven by one thread. */
final class ConnectRate {
    private static final int AT_A_TIME = 16;
    private static final Duration STALL_LIMIT = Duration.ofSeconds(20);

    private final InetSocketAddress address;
    private final Selector selector;
    private final ByteBuffer request = PingPong.newRequest();
    private final ByteBuffer answer = ByteBuffer.allocateDirect(4096);
    private final Histogram latencies = Slice.newHistogram();
    private final long deadline;
    private int open;
    private @Nullable IOException failure;

    private ConnectRate(InetSocketAddress address, Selector selector, long deadline) {
        this.address = address;
        this.selector = selector;
        this.deadline = deadline;
    }

    /** Begins visits for the given time, then waits for those still under way. */
    static Slice run(InetSocketAddress address, Duration duration) throws IOException {
        long start = System.nanoTime();
        try (Selector selector = Selector.open()) {
            ConnectRate rate = new ConnectRate(address, selector, start + duration.toNanos());
            rate.loop();
            return new Slice(
                    rate.latencies.getTotalCount(), Duration.ofNanos(System.nanoTime() - start), rate.latencies);
        }
    }

    private void loop() throws IOException {
        try {
            for (int i = 0; i < AT_A_TIME; i++) {
                connect();
            }
            while (open > 0) {
                if (selector.select(this::handle, STALL_LIMIT.toMillis()) == 0) {
                    throw new SocketTimeoutException("%d visits stand still for %s".formatted(open, STALL_LIMIT));
                }
                if (failure != null) {
                    throw failure;
                }
            }
        } finally {
            for (SelectionKey key : selector.keys()) {
                key.channel().close();
            }
        }
    }

    private void connect() throws IOException {
        SocketChannel channel = SocketChannel.open();
        Visit visit = new Visit();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, visit);
        open++;
        if (channel.connect(address)) {
            send(key, channel);
        }
    }

    private void handle(SelectionKey key) {
        try {
            SocketChannel channel = (SocketChannel) key.channel();
            if (key.isConnectable()) {
                channel.finishConnect();
                send(key, channel);
            } else {
                receive(channel, (Visit) key.attachment());
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    private void send(SelectionKey key, SocketChannel channel) throws IOException {
        key.interestOps(SelectionKey.OP_READ);
        request.rewind();
        channel.write(request);
    }

    private void receive(SocketChannel channel, Visit visit) throws IOException {
        answer.clear();
        int count = channel.read(answer);
        if (count < 0) {
            throw new EOFException("connection closed before the answer");
        }
        visit.missing -= count;
        if (visit.missing > 0) {
            return;
        }
        long now = System.nanoTime();
        latencies.recordValue(now - visit.startedAt);
        channel.close();
        open--;
        if (now - deadline < 0) {
            connect();
        }
    }

    private static final class Visit {
        private final long startedAt = System.nanoTime();
        private int missing = PingPong.MESSAGE_SIZE;
    }
}

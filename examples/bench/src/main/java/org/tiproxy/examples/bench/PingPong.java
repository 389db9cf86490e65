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
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Small requests and answers over connections that stay open: each connection sends 64 bytes, waits for the same 64
 * bytes and sends again. One thread drives all connections.
 */
final class PingPong implements AutoCloseable {
    static final int MESSAGE_SIZE = 64;

    /** How long one answer may take before the measurement counts as failed. */
    private static final Duration STALL_LIMIT = Duration.ofSeconds(20);

    private final Selector selector;
    private final List<Client> clients = new ArrayList<>();
    private final ByteBuffer request = newRequest();
    private final ByteBuffer answer = ByteBuffer.allocateDirect(4096);

    private Histogram latencies = Slice.newHistogram();
    private long deadline;
    private int outstanding;
    private @Nullable IOException failure;

    private PingPong(Selector selector) {
        this.selector = selector;
    }

    /** Opens the connections one after the other, each with one request answered, so that no leg is missing. */
    static PingPong open(InetSocketAddress address, int connections) throws IOException {
        PingPong pingPong = new PingPong(Selector.open());
        try {
            for (int i = 0; i < connections; i++) {
                pingPong.connect(address);
            }
            return pingPong;
        } catch (IOException e) {
            String message = "connection %d of %d to %s: %s"
                    .formatted(pingPong.clients.size() + 1, connections, address, e.getMessage());
            pingPong.close();
            throw new IOException(message, e);
        }
    }

    static ByteBuffer newRequest() {
        return ByteBuffer.allocateDirect(MESSAGE_SIZE).put(0, EchoServer.Mode.ECHO.code);
    }

    /** Sends requests on all connections for the given time, then waits for the answers still under way. */
    Slice run(Duration duration) throws IOException {
        latencies = Slice.newHistogram();
        failure = null;
        long start = System.nanoTime();
        deadline = start + duration.toNanos();
        outstanding = clients.size();
        for (Client client : clients) {
            send(client);
        }
        while (outstanding > 0) {
            if (selector.select(this::handle, STALL_LIMIT.toMillis()) == 0) {
                throw new SocketTimeoutException(
                        "%d of %d answers are missing after %s".formatted(outstanding, clients.size(), STALL_LIMIT));
            }
            if (failure != null) {
                throw failure;
            }
        }
        return new Slice(latencies.getTotalCount(), Duration.ofNanos(System.nanoTime() - start), latencies);
    }

    @Override
    public void close() throws IOException {
        for (Client client : clients) {
            client.channel.close();
        }
        selector.close();
    }

    private void connect(InetSocketAddress address) throws IOException {
        SocketChannel channel = SocketChannel.open();
        Client client = new Client(channel);
        clients.add(client);
        Connections.connect(channel, address);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Connections.exchange(channel);
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, client);
    }

    private void handle(SelectionKey key) {
        try {
            receive((Client) key.attachment());
        } catch (IOException e) {
            failure = e;
        }
    }

    private void receive(Client client) throws IOException {
        answer.clear();
        int count = client.channel.read(answer);
        if (count < 0) {
            throw new EOFException("connection closed while an answer was expected");
        }
        client.missing -= count;
        if (client.missing > 0) {
            return;
        }
        long now = System.nanoTime();
        latencies.recordValue(now - client.sentAt);
        if (now - deadline < 0) {
            send(client);
        } else {
            outstanding--;
        }
    }

    private void send(Client client) throws IOException {
        request.rewind();
        client.missing = MESSAGE_SIZE;
        client.sentAt = System.nanoTime();
        client.channel.write(request);
        if (request.hasRemaining()) {
            // Never more than one request is under way, so the socket's buffer is empty here.
            throw new IOException("the socket took only a part of a request");
        }
    }

    private static final class Client {
        private final SocketChannel channel;
        private int missing;
        private long sentAt;

        Client(SocketChannel channel) {
            this.channel = channel;
        }
    }
}

package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Sends back what it receives after a fixed time, as a server does that has to work on each request, but on any number of
 * them at once. One thread.
 */
final class SlowEcho implements AutoCloseable {
    private static final int BUFFER_SIZE = 256 * 1024;
    private static final int BACKLOG = 1024;

    private final ServerSocketChannel listener;
    private final Selector selector;
    private final long delayNanos;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);
    /** What is due, the first first. */
    private final Deque<Answer> answers = new ArrayDeque<>();

    private record Answer(long due, SocketChannel channel, ByteBuffer bytes) {}

    /** Listens, and answers on a thread of its own. */
    SlowEcho(Duration delay) throws IOException {
        delayNanos = delay.toNanos();
        listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
        listener.configureBlocking(false);
        selector = Selector.open();
        listener.register(selector, SelectionKey.OP_ACCEPT);
        Thread thread = new Thread(this::run, "slow-echo");
        thread.setDaemon(true);
        thread.start();
    }

    int port() throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        selector.close();
    }

    private void run() {
        try {
            while (selector.isOpen()) {
                if (answers.isEmpty()) {
                    selector.select(this::handle);
                } else {
                    // Milliseconds are as short as a selector can wait: the delay should be some of them.
                    selector.select(this::handle, 1);
                }
                answer();
            }
        } catch (ClosedSelectorException e) {
            // Closed by close() while a round of the loop was under way.
        } catch (IOException e) {
            throw new UncheckedIOException("the slow echo server's selector failed", e);
        }
    }

    private void answer() throws IOException {
        long now = System.nanoTime();
        Answer next = answers.peekFirst();
        while (next != null && next.due - now <= 0) {
            // At most 1,000 small answers are on their way: they fit into the sockets' buffers.
            next.channel.write(next.bytes);
            if (next.bytes.hasRemaining()) {
                throw new IOException("an answer did not fit into the socket's buffer");
            }
            answers.removeFirst();
            next = answers.peekFirst();
        }
    }

    private void handle(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                SocketChannel channel = listener.accept();
                channel.configureBlocking(false);
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                channel.register(selector, SelectionKey.OP_READ);
                return;
            }
            SocketChannel channel = (SocketChannel) key.channel();
            buffer.clear();
            if (channel.read(buffer) < 0) {
                channel.close();
                return;
            }
            buffer.flip();
            ByteBuffer copy =
                    ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
            answers.addLast(new Answer(System.nanoTime() + delayNanos, channel, copy));
        } catch (IOException e) {
            throw new UncheckedIOException("the slow echo server failed", e);
        }
    }
}

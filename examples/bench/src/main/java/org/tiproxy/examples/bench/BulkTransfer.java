package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** As many bytes as possible in one direction, over a few connections at once, driven by one thread. */
final class BulkTransfer {
    private static final int CONNECTIONS = 4;
    private static final int BUFFER_SIZE = 256 * 1024;
    private static final Duration STALL_LIMIT = Duration.ofSeconds(20);

    private final Selector selector;
    private final List<SocketChannel> channels = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);
    private long transferred;
    private @Nullable IOException failure;

    private BulkTransfer(Selector selector) {
        this.selector = selector;
    }

    /** Megabytes (10^6 bytes) per second that arrive here. */
    static double download(InetSocketAddress address, Duration duration) throws IOException {
        try (Selector selector = Selector.open()) {
            BulkTransfer transfer = new BulkTransfer(selector);
            try {
                transfer.connect(address, EchoServer.Mode.DOWNLOAD, SelectionKey.OP_READ);
                long start = System.nanoTime();
                transfer.pump(start + duration.toNanos());
                return megabytesPerSecond(transfer.transferred, start);
            } finally {
                transfer.closeChannels();
            }
        }
    }

    /** Megabytes (10^6 bytes) per second that arrive at the server: counted there, until the last byte is in. */
    static double upload(InetSocketAddress address, Duration duration) throws IOException {
        try (Selector selector = Selector.open()) {
            BulkTransfer transfer = new BulkTransfer(selector);
            try {
                transfer.connect(address, EchoServer.Mode.UPLOAD, SelectionKey.OP_WRITE);
                long start = System.nanoTime();
                transfer.pump(start + duration.toNanos());
                long arrived = transfer.finishUpload();
                return megabytesPerSecond(arrived, start);
            } finally {
                transfer.closeChannels();
            }
        }
    }

    private void connect(InetSocketAddress address, EchoServer.Mode mode, int interest) throws IOException {
        for (int i = 0; i < CONNECTIONS; i++) {
            SocketChannel channel = SocketChannel.open();
            channels.add(channel);
            Connections.connect(channel, address);
            channel.write(ByteBuffer.wrap(new byte[] {mode.code}));
            channel.configureBlocking(false);
            channel.register(selector, interest);
        }
    }

    private void pump(long deadline) throws IOException {
        while (System.nanoTime() - deadline < 0) {
            if (selector.select(this::handle, STALL_LIMIT.toMillis()) == 0) {
                throw new SocketTimeoutException("no byte moved for " + STALL_LIMIT);
            }
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void handle(SelectionKey key) {
        try {
            SocketChannel channel = (SocketChannel) key.channel();
            buffer.clear();
            int count = key.isReadable() ? channel.read(buffer) : channel.write(buffer);
            if (count < 0) {
                throw new IOException("connection closed during the transfer");
            }
            transferred += count;
        } catch (IOException e) {
            failure = e;
        }
    }

    private long finishUpload() throws IOException {
        for (SocketChannel channel : channels) {
            channel.shutdownOutput();
        }
        long arrived = 0;
        for (SocketChannel channel : channels) {
            channel.keyFor(selector).cancel();
            selector.selectNow();
            channel.configureBlocking(true);
            channel.socket().setSoTimeout((int) STALL_LIMIT.toMillis());
            InputStream in = channel.socket().getInputStream();
            byte[] count = in.readNBytes(Long.BYTES);
            if (count.length < Long.BYTES) {
                throw new IOException("connection closed before the server said how much it received");
            }
            arrived += ByteBuffer.wrap(count).getLong();
        }
        // The first byte of each connection chose the mode.
        if (arrived != transferred + channels.size()) {
            throw new IOException("sent %d bytes, but %d arrived".formatted(transferred + channels.size(), arrived));
        }
        return arrived;
    }

    private void closeChannels() throws IOException {
        for (SocketChannel channel : channels) {
            channel.close();
        }
    }

    private static double megabytesPerSecond(long bytes, long startNanos) {
        return bytes / 1e6 / ((System.nanoTime() - startNanos) / 1e9);
    }
}

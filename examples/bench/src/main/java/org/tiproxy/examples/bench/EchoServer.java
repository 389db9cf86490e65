package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.OutputStream;
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
import org.jspecify.annotations.Nullable;

/**
 * The backend of all measurements: one thread, one selector, one shared buffer, so that it costs as little as possible
 * beside what is measured. The first byte that a client sends says what its connection is for, see {@link Mode}.
 */
final class EchoServer implements Runnable, AutoCloseable {
    /** What a connection is for. */
    enum Mode {
        /** Everything that arrives is sent back. */
        ECHO('E'),
        /** Bytes are sent until the client closes. */
        DOWNLOAD('D'),
        /** Bytes are counted until the client shuts its output down; then their number is sent back, as 8 bytes. */
        UPLOAD('U');

        final byte code;

        Mode(char code) {
            this.code = (byte) code;
        }

        static Mode of(byte code) throws IOException {
            for (Mode mode : values()) {
                if (mode.code == code) {
                    return mode;
                }
            }
            throw new IOException("unknown first byte " + code + ", expected E, D or U");
        }
    }

    private static final int BUFFER_SIZE = 256 * 1024;
    private static final int BACKLOG = 4096;

    private final ServerSocketChannel listener;
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_SIZE);

    /** Listens at once; answers when {@link #run} is called. Port 0 takes a free one. */
    EchoServer(int port) throws IOException {
        listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        listener.configureBlocking(false);
        selector = Selector.open();
        listener.register(selector, SelectionKey.OP_ACCEPT);
    }

    /** Runs in a process of its own until its standard input ends, which it does with the process that started it. */
    public static void main(String[] arguments) throws IOException {
        EchoServer server = new EchoServer(Integer.parseInt(arguments[0]));
        Thread loop = new Thread(server, "echo");
        loop.setDaemon(true);
        loop.start();
        System.in.transferTo(OutputStream.nullOutputStream());
    }

    InetSocketAddress address() throws IOException {
        return (InetSocketAddress) listener.getLocalAddress();
    }

    @Override
    public void run() {
        try {
            while (selector.isOpen()) {
                selector.select(this::handle);
            }
        } catch (ClosedSelectorException e) {
            // Closed by close() while a round of the loop was under way.
        } catch (IOException e) {
            throw new UncheckedIOException("the echo server's selector failed", e);
        }
    }

    /** Ends {@link #run}, which may run on another thread, and the listener; called once. */
    @Override
    public void close() throws IOException {
        listener.close();
        selector.close();
    }

    private void handle(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                accept();
                return;
            }
            SocketChannel channel = (SocketChannel) key.channel();
            Peer peer = (Peer) key.attachment();
            if (key.isReadable()) {
                read(key, channel, peer);
            } else if (key.isWritable()) {
                write(key, channel, peer);
            }
        } catch (IOException e) {
            closeQuietly(key);
        }
    }

    private void accept() throws IOException {
        SocketChannel channel = listener.accept();
        if (channel != null) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.register(selector, SelectionKey.OP_READ, new Peer());
        }
    }

    private void read(SelectionKey key, SocketChannel channel, Peer peer) throws IOException {
        buffer.clear();
        int count = channel.read(buffer);
        if (count < 0) {
            finish(key, channel, peer);
            return;
        }
        if (count == 0) {
            return;
        }
        buffer.flip();
        if (peer.mode == null) {
            peer.mode = Mode.of(buffer.get(0));
        }
        switch (peer.mode) {
            case ECHO -> {
                channel.write(buffer);
                if (buffer.hasRemaining()) {
                    peer.unsent =
                            ByteBuffer.allocate(buffer.remaining()).put(buffer).flip();
                    key.interestOps(SelectionKey.OP_WRITE);
                }
            }
            case DOWNLOAD -> key.interestOps(SelectionKey.OP_WRITE);
            case UPLOAD -> peer.received += count;
        }
    }

    private void write(SelectionKey key, SocketChannel channel, Peer peer) throws IOException {
        ByteBuffer unsent = peer.unsent;
        if (unsent == null) {
            buffer.clear();
            channel.write(buffer);
            return;
        }
        channel.write(unsent);
        if (!unsent.hasRemaining()) {
            peer.unsent = null;
            key.interestOps(SelectionKey.OP_READ);
        }
    }

    private static void finish(SelectionKey key, SocketChannel channel, Peer peer) throws IOException {
        if (peer.mode == Mode.UPLOAD) {
            channel.write(ByteBuffer.allocate(Long.BYTES).putLong(0, peer.received));
        }
        closeQuietly(key);
    }

    private static void closeQuietly(SelectionKey key) {
        try {
            key.channel().close();
        } catch (IOException e) {
            // The connection is given up either way.
        }
    }

    /** One connection. */
    private static final class Peer {
        private @Nullable Mode mode;
        private @Nullable ByteBuffer unsent;
        private long received;
    }
}

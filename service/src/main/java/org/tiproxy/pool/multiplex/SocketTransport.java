package org.tiproxy.pool.multiplex;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A non-blocking socket on a {@link SelectorLoop}. */
final class SocketTransport implements Transport {
    private static final int BATCH = 64;

    private final SelectorLoop loop;
    private final SocketChannel channel;
    private final Queue<ByteBuffer> outgoing = new ConcurrentLinkedQueue<>();
    /** Held by the one thread that sends what all have queued. */
    private final AtomicBoolean sending = new AtomicBoolean();
    /** Taken from the queue and not sent in full; of whoever holds {@link #sending}. */
    private final Deque<ByteBuffer> batch = new ArrayDeque<>();

    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile @Nullable Receiver receiver;
    /** Of the loop's thread only. */
    private @Nullable SelectionKey key;

    SocketTransport(SelectorLoop loop, SocketChannel channel) {
        this.loop = loop;
        this.channel = channel;
    }

    @Override
    public void start(Receiver newReceiver) {
        receiver = newReceiver;
        loop.execute(() -> {
            try {
                if (loop.isClosed()) {
                    throw new ClosedChannelException();
                }
                key = channel.register(loop.selector(), SelectionKey.OP_READ, this);
            } catch (IOException e) {
                closeNow(e);
            }
        });
    }

    @Override
    public void write(ByteBuffer bytes) {
        outgoing.add(bytes);
        send();
    }

    @Override
    public void close() {
        loop.execute(() -> closeNow(null));
        if (loop.isClosed()) {
            closeNow(null);
        }
    }

    /** On the loop's thread. */
    void ready(int operations) {
        if ((operations & SelectionKey.OP_WRITE) != 0) {
            SelectionKey own = key;
            if (own != null) {
                own.interestOps(SelectionKey.OP_READ);
            }
            // Held since the socket was full.
            sending.set(false);
            send();
        }
        if ((operations & SelectionKey.OP_READ) != 0) {
            read();
        }
    }

    private void read() {
        Receiver told = receiver;
        if (told == null) {
            return;
        }
        ByteBuffer buffer = loop.buffer();
        try {
            int count = channel.read(buffer);
            if (count < 0) {
                closeNow(null);
            } else if (count > 0) {
                told.received(buffer.flip());
            }
        } catch (IOException e) {
            closeNow(e);
        }
    }

    /** Whoever finds nobody sending, sends for all. Whoever adds looks at the flag afterwards, so that nothing is left. */
    private void send() {
        while ((!outgoing.isEmpty() || !batch.isEmpty()) && sending.compareAndSet(false, true)) {
            try {
                if (!drain()) {
                    // The socket is full: the flag stays up until the loop finds room.
                    loop.execute(this::awaitRoom);
                    return;
                }
            } catch (IOException e) {
                sending.set(false);
                loop.execute(() -> closeNow(e));
                return;
            }
            sending.set(false);
        }
    }

    /** False if the socket takes no more. */
    private boolean drain() throws IOException {
        while (true) {
            for (ByteBuffer next = null; batch.size() < BATCH && (next = outgoing.poll()) != null; ) {
                batch.add(next);
            }
            if (batch.isEmpty()) {
                return true;
            }
            channel.write(batch.toArray(new ByteBuffer[0]));
            while (!batch.isEmpty() && !batch.element().hasRemaining()) {
                batch.remove();
            }
            if (!batch.isEmpty()) {
                return false;
            }
        }
    }

    private void awaitRoom() {
        SelectionKey own = key;
        if (own != null && own.isValid()) {
            own.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        }
    }

    void closeNow(@Nullable Throwable cause) {
        if (!ended.compareAndSet(false, true)) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            // It is gone either way.
            outgoing.clear();
        }
        outgoing.clear();
        Receiver told = receiver;
        if (told != null) {
            told.closed(cause);
        }
    }
}

package org.tiproxy.agent.socket;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.UnsupportedAccountException;

/** Opens one connection, whose answers a test puts in. */
final class FakeEngine implements SocketOpener, DriverConnection {
    private static final byte[] END = new byte[0];

    private final BlockingQueue<byte[]> answers = new LinkedBlockingQueue<>();
    private final CountDownLatch reading = new CountDownLatch(1);
    final ByteArrayOutputStream written = new ByteArrayOutputStream();
    final List<Throwable> failures = new ArrayList<>();
    final AtomicInteger closed = new AtomicInteger();

    @Nullable
    InetSocketAddress asked;

    @Nullable
    Duration timeout;

    @Nullable
    IOException refusal;

    @Nullable
    RuntimeException trouble;

    @Nullable
    UnsupportedAccountException turnedBack;

    boolean nobody;
    boolean elsewhere;
    volatile int readTimeout = -1;
    volatile @Nullable RuntimeException broken;

    void answer(byte... bytes) {
        answers.add(bytes);
    }

    void awaitReader() throws InterruptedException {
        reading.await();
    }

    @Override
    public @Nullable DriverConnection open(InetSocketAddress address, Duration limit) throws IOException {
        asked = address;
        timeout = limit;
        if (refusal != null) {
            throw refusal;
        }
        if (trouble != null) {
            throw trouble;
        }
        return nobody ? null : this;
    }

    @Override
    public boolean isSameAddress() {
        return !elsewhere;
    }

    @Override
    public void turnedBack(UnsupportedAccountException cause) {
        turnedBack = cause;
    }

    @Override
    public void failedOpen(Throwable cause) {
        failures.add(cause);
    }

    @Override
    public int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
        readTimeout = timeoutMillis;
        RuntimeException failure = broken;
        if (failure != null) {
            throw failure;
        }
        reading.countDown();
        try {
            byte[] answer = answers.take();
            if (closed.get() > 0) {
                throw new SocketException("Socket closed");
            }
            int count = Math.min(length, answer.length);
            System.arraycopy(answer, 0, target, offset, count);
            return count;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public int available() {
        byte[] next = answers.peek();
        return next == null ? 0 : next.length;
    }

    @Override
    public void write(byte[] source, int offset, int length) {
        written.write(source, offset, length);
    }

    @Override
    public void expectUser(String user, Secret password) {}

    @Override
    public void close() {
        closed.incrementAndGet();
        answers.add(END);
    }
}

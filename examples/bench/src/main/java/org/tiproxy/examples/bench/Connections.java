package org.tiproxy.examples.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/** Single connections outside the measured loops: opened and used by the calling thread, each step bounded in time. */
final class Connections {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private Connections() {}

    /** A port on the loopback address that nothing listened on a moment ago. */
    static InetSocketAddress freeAddress() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return (InetSocketAddress) socket.getLocalSocketAddress();
        }
    }

    /** Connects a channel that is still in blocking mode. */
    static void connect(SocketChannel channel, InetSocketAddress address) throws IOException {
        channel.socket().connect(address, (int) TIMEOUT.toMillis());
    }

    /** Sends one request over a channel in blocking mode and waits for its answer. */
    static void exchange(SocketChannel channel) throws IOException {
        channel.write(PingPong.newRequest());
        channel.socket().setSoTimeout((int) TIMEOUT.toMillis());
        InputStream in = channel.socket().getInputStream();
        int count = in.readNBytes(PingPong.MESSAGE_SIZE).length;
        if (count < PingPong.MESSAGE_SIZE) {
            throw new IOException("closed after %d of %d bytes of the answer".formatted(count, PingPong.MESSAGE_SIZE));
        }
    }

    /** One whole visit: connect, one request, its answer, close. */
    static void visit(InetSocketAddress address) throws IOException {
        try (SocketChannel channel = SocketChannel.open()) {
            connect(channel, address);
            exchange(channel);
        }
    }

    /**
     * Visits again and again until one visit succeeds.
     *
     * @param pause between two attempts
     * @param alive fails when waiting on makes no sense, such as when the server's process has ended
     */
    static void awaitAnswer(InetSocketAddress address, Duration pause, Check alive) throws IOException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                visit(address);
                return;
            } catch (IOException e) {
                alive.run();
                if (System.nanoTime() - deadline > 0) {
                    throw new SocketTimeoutException(
                            "no answer from %s within %s, at last: %s".formatted(address, TIMEOUT, e.getMessage()));
                }
                pause(pause);
            }
        }
    }

    /** Waits until nothing listens at the address. */
    static void awaitRefused(InetSocketAddress address) throws IOException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        while (System.nanoTime() - deadline < 0) {
            try (SocketChannel channel = SocketChannel.open()) {
                connect(channel, address);
            } catch (ConnectException e) {
                return;
            }
            pause(Duration.ofMillis(5));
        }
        throw new SocketTimeoutException(address + " still accepts connections after " + TIMEOUT);
    }

    static void pause(Duration duration) throws IOException {
        try {
            Thread.sleep(duration.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** A condition without which waiting is given up. */
    interface Check {
        void run() throws IOException;
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** In the engine's place: each driver's connection is a socket to the server, whose bytes are passed on. */
public final class SocketDriverProxy implements DriverProxy {
    private final List<DriverLogin> logins = new CopyOnWriteArrayList<>();
    private final List<String> expected = new CopyOnWriteArrayList<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger encrypted = new AtomicInteger();

    @Override
    public DriverConnection open(DriverLogin login) throws IOException {
        logins.add(login);
        InetSocketAddress address = login.address().resolve();
        SocketDriverConnection connection = new SocketDriverConnection(login, address, this);
        open.incrementAndGet();
        return connection;
    }

    /** What drivers have asked for, in turn. */
    public List<DriverLogin> logins() {
        return logins;
    }

    /** Who drivers have said they would change to: {@code name:password}. */
    public List<String> expected() {
        return expected;
    }

    /** How many connections are open. */
    public int open() {
        return open.get();
    }

    /** How many backend connections have turned to TLS. */
    public int encrypted() {
        return encrypted.get();
    }

    void closed() {
        open.decrementAndGet();
    }

    void turnedToTls() {
        encrypted.incrementAndGet();
    }
}

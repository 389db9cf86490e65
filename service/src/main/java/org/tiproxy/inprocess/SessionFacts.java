package org.tiproxy.inprocess;

import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxySession;
import org.tiproxy.engine.SessionCounters;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.session.Login;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SessionListener;
import org.tiproxy.session.TransactionState;
import org.tiproxy.wire.protocol.Command;

/** What operators see of a session, and what is counted. Written by whoever runs the session, read by any thread. */
abstract class SessionFacts implements ProxySession, SessionListener {
    private final long id;
    private final HostPort client;
    private final Instant since = Instant.now();
    private final SessionRegistry sessions;
    private final SessionCounters.Share counters;
    private final Ticker ticker;
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong sent = new AtomicLong();

    private volatile @Nullable HostPort backend;
    private volatile long backendThread;
    private volatile @Nullable Login login;
    private volatile @Nullable Command command;
    private volatile long commandBegan;
    private volatile TransactionState transaction = TransactionState.NONE;
    private volatile String schema = "";

    SessionFacts(InProcessProxy proxy, DriverLogin wanted) {
        this.sessions = proxy.sessions();
        this.ticker = proxy.ticker();
        this.id = sessions.nextId();
        this.counters = sessions.counters().newShare();
        // Within the process; the port says nothing.
        this.client = new HostPort("localhost", 0);
    }

    final void countReceived(int bytes) {
        received.lazySet(received.get() + bytes);
        sessions.countReceived(bytes);
    }

    final void countSent(int bytes) {
        sent.lazySet(sent.get() + bytes);
        sessions.countSent(bytes);
    }

    final void countFailed() {
        sessions.countFailed();
    }

    final void backendIs(@Nullable HostPort address, long threadId) {
        backend = address;
        backendThread = threadId;
    }

    final void ended(SessionEnd end) {
        counters.ended(end);
        sessions.remove(this);
    }

    // ---- what the engine tells

    @Override
    public void loggedIn(Login who) {
        if (login == null) {
            commandBegan = ticker.nanoTime();
        }
        login = who;
        schema = who.schema();
        counters.loggedIn(false);
    }

    @Override
    public void loginRefused(int errorCode) {
        if (login != null) {
            counters.changeOfUserRefused();
        }
    }

    @Override
    public void commandBegun(Command begun) {
        counters.commandBegun();
        commandBegan = ticker.nanoTime();
        command = begun;
    }

    @Override
    public void commandEnded(Command over) {
        command = commandInFlight();
    }

    /** The command in flight after one has ended. */
    abstract @Nullable Command commandInFlight();

    @Override
    public void transactionChanged(TransactionState state) {
        transaction = state;
        counters.transactionChanged(state);
    }

    @Override
    public void schemaChanged(String name) {
        schema = name;
    }

    // ---- for operators

    @Override
    public long id() {
        return id;
    }

    @Override
    public HostPort client() {
        return client;
    }

    @Override
    public @Nullable HostPort backend() {
        return backend;
    }

    @Override
    public Instant since() {
        return since;
    }

    @Override
    public long bytesReceived() {
        return received.get();
    }

    @Override
    public long bytesSent() {
        return sent.get();
    }

    @Override
    public String user() {
        Login who = login;
        return who == null ? "" : who.user();
    }

    @Override
    public String schema() {
        return schema;
    }

    @Override
    public String command() {
        Command current = command;
        return current == null ? "" : current.name();
    }

    @Override
    public long commandMillis() {
        return command == null ? 0 : quiet();
    }

    @Override
    public String transaction() {
        return login == null ? "" : transaction.name();
    }

    @Override
    public long connectionId() {
        return login == null ? 0 : Integer.toUnsignedLong(InProcessProxy.virtualId(id));
    }

    @Override
    public long backendConnectionId() {
        return login == null ? 0 : backendThread;
    }

    @Override
    public long quietMillis() {
        return login == null ? 0 : quiet();
    }

    private long quiet() {
        return TimeUnit.NANOSECONDS.toMillis(ticker.nanoTime() - commandBegan);
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.ByteQueue;
import org.tiproxy.common.Secret;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.pool.AcquireException;
import org.tiproxy.pool.Lease;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.session.BackendRelease;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.ClientOrigin;
import org.tiproxy.session.KnownUser;
import org.tiproxy.session.PooledConfig;
import org.tiproxy.session.PooledSessionEngine;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.SessionOutput;
import org.tiproxy.session.StatementOutcome;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.HandshakeV10;

/**
 * One driver's conversation. What the driver writes goes into the engine at once; when it reads, the same thread does what
 * the engine wants: it acquires a backend connection, sends, and waits for the backend with the driver's own array to read
 * into.
 *
 * <p>Three locks, taken in this order and held as the word says: {@code readLock} by the one thread that reads, {@code
 * writeLock} while bytes go to the backend, {@code lock} while the session's state is looked at or changed. Nobody holds
 * {@code lock} while it waits for the backend's answers to the driver's commands; for what the proxy itself says on the
 * connection (a login, a ping) it is held. {@link #close} never waits for any of them.
 */
final class InProcessSession extends SessionFacts implements DriverConnection, SessionOutput {
    private static final Logger log = LoggerFactory.getLogger(InProcessSession.class);

    /** What a driver reads in smaller pieces is read ahead. */
    private static final int READ_AHEAD_BELOW = 1024;

    private static final int READ_AHEAD = 16 * 1024;
    /** From here on, what the driver writes does not wait for its next read. */
    private static final int WRITE_THROUGH = 64 * 1024;

    private final InProcessProxy proxy;
    private final DriverLogin login;
    private final BackendBroker broker;
    private final Map<String, Secret> passwords = new ConcurrentHashMap<>();
    final PooledSessionEngine engine;

    private final ReentrantLock readLock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    /** Somebody who reads may go on. */
    private final Condition changed = lock.newCondition();

    // ---- guarded by lock

    /** What the engine has not taken yet. */
    private final ByteQueue kept = new ByteQueue();

    private boolean paused;
    private boolean resumes;
    private @Nullable BackendRequest wanted;

    /** For the driver: first what was read ahead, then the rest. */
    private byte @Nullable [] ahead;

    private int aheadStart;
    private int aheadEnd;
    private final ByteQueue toClient = new ByteQueue();

    /** For the backend, not sent yet. */
    private final ByteQueue toBackend = new ByteQueue();

    /** What the engine works on now, and where bytes of it go that are for the client. */
    private byte[] chunk = {};

    private byte @Nullable [] sink;
    private int sinkEnd;

    private @Nullable Opening opening;
    private boolean reading;
    private boolean writing;
    private volatile boolean over;

    // ---- read by anybody

    private volatile int buffered;
    private volatile boolean closed;
    private volatile @Nullable SessionEnd end;

    InProcessSession(InProcessProxy proxy, InProcessPool pool, DriverLogin login) {
        super(proxy, login);
        this.login = login;
        this.proxy = proxy;
        this.broker = new BackendBroker(pool, login, proxy.accounts(), refusal -> proxy.makeRoom(pool, refusal));
        passwords.put(login.user(), login.password());
        ClientOrigin origin = new ClientOrigin("localhost", true);
        this.engine = new PooledSessionEngine(
                new PooledConfig(proxy.sessionConfig(), this::find, proxy.random()),
                this,
                this,
                proxy::backendIdOf,
                InProcessProxy.virtualId(id()),
                () -> origin);
    }

    /** The driver's own credentials: whoever else it names is refused. */
    private KnownUser find(String name) {
        Secret password = passwords.get(name);
        return password != null
                ? KnownUser.withPassword(name, password)
                : KnownUser.decoyOf(KnownUser.withPassword(name, new Secret("")), name, Bytes.EMPTY);
    }

    /** Greets the driver, after it is known that there is a backend. */
    void begin() throws IOException {
        lock.lock();
        try {
            HandshakeV10 greeting = broker.greeting();
            if (closed) {
                throw new SocketException("Socket closed");
            }
            engine.greet(greeting);
            settle();
        } catch (RefusedException e) {
            // Where the greeting would be.
            toClient.add(e.err().encode().toPacket(0));
            engine.clientClosed("the backend refused the connection: " + e.getMessage());
            settle();
        } finally {
            unlock();
        }
    }

    // ---- the driver's calls

    @Override
    public int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
        if (length == 0) {
            return 0;
        }
        readLock.lock();
        try {
            long deadline = timeoutMillis == 0
                    ? Long.MAX_VALUE
                    : System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
            while (true) {
                BackendConnection backend;
                boolean opens;
                lock.lock();
                try {
                    int count = take(target, offset, length);
                    if (count != 0) {
                        return count;
                    }
                    pump(deadline);
                    count = take(target, offset, length);
                    if (count != 0) {
                        return count;
                    }
                    backend = broker.current();
                    Opening current = opening;
                    if (backend == null || (current != null && !current.isAsking())) {
                        awaitChange(deadline);
                        continue;
                    }
                    opens = current != null && !current.isOver();
                    reading = true;
                } finally {
                    unlock();
                }
                int count = readBackend(backend, opens, target, offset, length, deadline);
                if (count > 0) {
                    return count;
                }
            }
        } finally {
            readLock.unlock();
        }
    }

    /** Waits for the backend; {@code reading} is set, and {@code lock} is not held. */
    private int readBackend(
            BackendConnection backend, boolean opens, byte[] target, int offset, int length, long deadline)
            throws IOException {
        int count;
        boolean direct = length >= READ_AHEAD_BELOW;
        byte[] array = direct ? target : readAhead();
        int start = direct ? offset : 0;
        try {
            flush();
            int room = direct ? length : array.length;
            // Some drivers have a time-out while they connect, and none afterwards: the socket is not to keep it.
            count = opens && deadline != Long.MAX_VALUE
                    ? backend.readWithin(array, start, room, deadline, System.nanoTime())
                    : backend.read(array, start, room, millisUntil(deadline));
        } catch (SocketTimeoutException e) {
            endReading();
            if (!backend.isAlive()) {
                // While the driver opened the conversation: the wait was ended by closing the connection.
                lost(backend, e);
            }
            throw new SocketTimeoutException("Read timed out");
        } catch (IOException e) {
            endReading();
            lost(backend, e);
            return 0;
        }
        lock.lock();
        try {
            reading = false;
            if (broker.current() != backend) {
                // The session has ended meanwhile.
                return 0;
            }
            if (count < 0) {
                engine.backendClosed("closed by the backend");
            } else {
                countSent(count);
                return offer(array, start, count, direct);
            }
            settle();
            return 0;
        } finally {
            unlock();
        }
    }

    private byte[] readAhead() {
        byte[] array = ahead;
        if (array == null) {
            array = new byte[READ_AHEAD];
            ahead = array;
        }
        return array;
    }

    /** Lets the engine see what has come; what is for the client stays where it is, moved together. */
    private int offer(byte[] array, int start, int count, boolean direct) throws IOException {
        Opening current = opening;
        if (current != null) {
            current.heard(array, start, count);
        }
        chunk = array;
        sink = array;
        sinkEnd = start;
        engine.backendBytes(ByteBuffer.wrap(array, start, count));
        sink = null;
        int forClient = sinkEnd - start;
        if (!direct) {
            aheadStart = start;
            aheadEnd = sinkEnd;
        }
        settle();
        return direct ? forClient : 0;
    }

    private void endReading() {
        lock.lock();
        reading = false;
        unlock();
    }

    @Override
    public int available() {
        return buffered;
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        boolean through;
        lock.lock();
        try {
            if (closed) {
                throw new SocketException("Socket closed");
            }
            if (over) {
                throw new SocketException("Broken pipe: " + describeEnd());
            }
            countReceived(length);
            if (paused || kept.length() > 0) {
                kept.add(source, offset, length);
            } else {
                offerClient(source, offset, length);
            }
            settle();
            through = reading || toBackend.length() > WRITE_THROUGH;
            changed.signalAll();
        } finally {
            unlock();
        }
        if (through) {
            writeThrough();
        }
    }

    private void writeThrough() throws IOException {
        BackendConnection backend;
        lock.lock();
        try {
            if (!over) {
                pump(System.nanoTime() + proxy.talkTimeout().toNanos());
            }
            backend = broker.current();
        } finally {
            unlock();
        }
        try {
            flush();
        } catch (IOException e) {
            lost(backend, e);
        }
    }

    private void offerClient(byte[] source, int offset, int length) {
        chunk = source;
        ByteBuffer bytes = ByteBuffer.wrap(source, offset, length);
        engine.clientBytes(bytes);
        if (bytes.hasRemaining()) {
            kept.add(bytes);
        }
    }

    @Override
    public void expectUser(String user, Secret password) {
        passwords.put(user, password);
    }

    @Override
    public void close() {
        closed = true;
        broker.cancel();
        if (lock.tryLock()) {
            unlock();
        } else {
            // Whoever has the lock may be waiting for the backend, and ends the session then.
            broker.abort("closed by the driver");
        }
    }

    // ---- under the lock

    /** Every way out: a session that was closed meanwhile ends. */
    private void unlock() {
        try {
            if (closed && !over) {
                engine.clientClosed("the driver has closed the connection");
            }
            updateBuffered();
        } finally {
            lock.unlock();
        }
        // Who closes it just now has found the lock taken.
        if (closed && !over && lock.tryLock()) {
            try {
                if (!over) {
                    engine.clientClosed("the driver has closed the connection");
                }
                updateBuffered();
            } finally {
                lock.unlock();
            }
        }
    }

    private void updateBuffered() {
        buffered = aheadEnd - aheadStart + toClient.length();
    }

    /** Bytes for the driver; 0 if there are none yet, -1 if there will be none. */
    private int take(byte[] target, int offset, int length) throws SocketException {
        if (closed) {
            throw new SocketException("Socket closed");
        }
        int count = Math.min(length, aheadEnd - aheadStart);
        if (count > 0) {
            System.arraycopy(Objects.requireNonNull(ahead), aheadStart, target, offset, count);
            aheadStart += count;
            return count;
        }
        count = toClient.take(target, offset, length);
        return count == 0 && over ? -1 : count;
    }

    /** Does what the engine waits for, as far as that needs no answer to the driver's own commands. */
    private void pump(long deadline) throws IOException {
        boolean goesOn = true;
        while (goesOn && !over) {
            BackendRequest request = wanted;
            if (request != null) {
                acquire(request, deadline);
            } else {
                goesOn = resume();
            }
        }
        play(deadline);
    }

    private boolean resume() {
        if (!resumes) {
            return false;
        }
        resumes = false;
        paused = false;
        int length = kept.length();
        if (length > 0) {
            byte[] bytes = new byte[length];
            kept.take(bytes, 0, length);
            offerClient(bytes, 0, length);
        }
        return true;
    }

    private void acquire(BackendRequest request, long deadline) throws IOException {
        Lease<BackendConnection> lease;
        try {
            lease = broker.acquire(request, deadline);
        } catch (RefusedException e) {
            wanted = null;
            engine.backendRefused(e.err());
            return;
        } catch (SocketTimeoutException e) {
            if (BackendBroker.isPast(deadline)) {
                // The driver's own limit: it may ask again.
                throw e;
            }
            fail(e);
            return;
        } catch (IOException e) {
            fail(e);
            return;
        }
        wanted = null;
        BackendConnectionInfo info = broker.info();
        opening = new Opening(broker, lease.connection(), info, request);
        lent(lease);
        if (!engine.backendAcquired(info)) {
            opening = null;
            broker.giveBackUnused();
        }
    }

    /** Who asks for the session's connection is told this one. */
    private void lent(Lease<BackendConnection> lease) throws IOException {
        lease.connection().aim().lentTo(id());
        backendIs(lease.address(), broker.info().threadId());
    }

    private void fail(IOException e) {
        wanted = null;
        countFailed();
        boolean full =
                e.getCause() instanceof AcquireException refusal && refusal.reason() == AcquireException.Reason.TIMEOUT;
        engine.backendFailed(new ProxyException(
                full ? ProxyError.TOO_MANY_CONNECTIONS : ProxyError.BACKEND_UNREACHABLE,
                String.valueOf(e.getMessage()),
                e));
    }

    /** Answers from what the connection was asked already, as long as the driver asks the same. */
    private void play(long deadline) throws SocketTimeoutException {
        Opening current = opening;
        if (current == null || current.isOver() || over) {
            return;
        }
        try {
            while (!over) {
                Lease<BackendConnection> before = broker.lease();
                byte[] answer = current.next(toBackend, deadline);
                followReplacement(before);
                if (answer == null) {
                    return;
                }
                chunk = answer;
                engine.backendBytes(ByteBuffer.wrap(answer));
            }
        } catch (IOException e) {
            broker.abort(String.valueOf(e.getMessage()));
            engine.backendClosed(String.valueOf(e.getMessage()));
            if (BackendBroker.isPast(deadline)) {
                SocketTimeoutException timedOut = new SocketTimeoutException("Read timed out");
                timedOut.initCause(e);
                throw timedOut;
            }
        }
    }

    /** A connection that had died while it was idle is another one now. */
    private void followReplacement(@Nullable Lease<BackendConnection> before) throws IOException {
        Lease<BackendConnection> now = broker.lease();
        if (now != null && now != before) {
            lent(now);
        }
    }

    /** After each event. */
    private void settle() {
        updateBuffered();
    }

    // The caller loops.
    @SuppressWarnings("WaitNotInLoop")
    private void awaitChange(long deadline) throws IOException {
        try {
            if (deadline == Long.MAX_VALUE) {
                changed.await();
            } else if (changed.awaitNanos(deadline - System.nanoTime()) <= 0) {
                throw new SocketTimeoutException("Read timed out");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SocketException("Closed by interrupt");
        }
    }

    // ---- to the backend, without the lock

    private void flush() throws IOException {
        writeLock.lock();
        try {
            while (true) {
                BackendConnection backend;
                byte[] bytes;
                lock.lock();
                try {
                    backend = broker.current();
                    int sendable = sendable();
                    if (backend == null || sendable == 0) {
                        return;
                    }
                    bytes = new byte[sendable];
                    toBackend.take(bytes, 0, sendable);
                    if (opening != null) {
                        opening.sent(sendable);
                    }
                    writing = true;
                } finally {
                    unlock();
                }
                try {
                    backend.write(bytes, 0, bytes.length);
                } finally {
                    lock.lock();
                    writing = false;
                    unlock();
                }
            }
        } finally {
            writeLock.unlock();
        }
    }

    private int sendable() {
        Opening current = opening;
        return current == null ? toBackend.length() : current.sendable(toBackend);
    }

    private static int millisUntil(long deadline) throws SocketTimeoutException {
        if (deadline == Long.MAX_VALUE) {
            return 0;
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0) {
            throw new SocketTimeoutException("Read timed out");
        }
        return (int) Math.min(Integer.MAX_VALUE, millis);
    }

    private void lost(@Nullable BackendConnection backend, IOException cause) throws IOException {
        lock.lock();
        try {
            if (backend != null && broker.current() == backend) {
                backend.abort(String.valueOf(cause.getMessage()));
                engine.backendClosed(String.valueOf(cause.getMessage()));
                settle();
            }
        } finally {
            unlock();
        }
    }

    // ---- what the engine wants; under the lock

    @Override
    public void forwardToBackend(int from, int to) {
        toBackend.add(chunk, from, to - from);
    }

    @Override
    public void forwardToClient(int from, int to) {
        byte[] place = sink;
        if (place == null || toClient.length() > 0) {
            toClient.add(chunk, from, to - from);
            return;
        }
        if (from != sinkEnd) {
            System.arraycopy(chunk, from, place, sinkEnd, to - from);
        }
        sinkEnd += to - from;
    }

    @Override
    public void sendToBackend(ByteBuffer bytes) {
        toBackend.add(bytes);
    }

    @Override
    public void sendToClient(ByteBuffer bytes) {
        toClient.add(bytes);
    }

    @Override
    public void startClientTls() {
        throw new IllegalStateException("TLS was not offered");
    }

    @Override
    public void startBackendTls() {
        throw new IllegalStateException("TLS with backends is the pool's matter");
    }

    @Override
    public void pauseClient() {
        paused = true;
    }

    @Override
    public void resumeClient() {
        resumes = true;
    }

    @Override
    public void acquireBackend(BackendRequest request) {
        BackendCredentials credentials = request.credentials();
        wanted = credentials == null ? request : request.withCredentials(login.careful(credentials));
    }

    @Override
    public void releaseBackend(BackendRelease release) {
        Opening played = opening;
        opening = null;
        backendIs(null, 0);
        if (played == null) {
            throw new IllegalStateException("no backend connection to release");
        }
        if (reading || writing) {
            broker.abort(release.reason().isEmpty() ? "the session ended while it was used" : release.reason());
        }
        if (played.isUnused() && release.reusable() && !reading && !writing) {
            toBackend.clear();
            broker.giveBackUnused();
            return;
        }
        try {
            int rest = toBackend.length();
            BackendConnection backend = broker.current();
            if (rest > 0 && backend != null && release.reusable()) {
                byte[] bytes = new byte[rest];
                toBackend.take(bytes, 0, rest);
                backend.write(bytes, 0, rest);
            }
        } catch (IOException e) {
            broker.abort(String.valueOf(e.getMessage()));
        }
        toBackend.clear();
        broker.giveBack(release, played.request(), played.statements());
    }

    @Override
    public void end(SessionEnd ended) {
        over = true;
        end = ended;
        wanted = null;
        kept.clear();
        passwords.clear();
        broker.close();
        ended(ended);
        changed.signalAll();
        log.debug("session {} of {} ended by {} ({}): {}", id(), user(), ended.source(), ended.reason(), ended.text());
    }

    /** Who ended it and why; null while it goes on. */
    @Nullable
    SessionEnd end() {
        return end;
    }

    private String describeEnd() {
        SessionEnd ended = end;
        return ended == null ? "the connection is closed" : ended.text();
    }

    @Override
    public String ended() {
        SessionEnd ended = end;
        return ended == null ? "" : ended.source() + ": " + ended.text();
    }

    @Override
    @Nullable
    Command commandInFlight() {
        return engine.commandInFlight();
    }

    // ---- for operators, on any thread

    @Override
    public long aimKill() {
        BackendConnection target = broker.target();
        if (target == null || !target.aim().at(id())) {
            return 0;
        }
        return target.threadId();
    }

    @Override
    public CompletableFuture<StatementOutcome> execute(String sql) {
        CompletableFuture<StatementOutcome> outcome = new CompletableFuture<>();
        if (!lock.tryLock()) {
            return CompletableFuture.completedFuture(StatementOutcome.busy());
        }
        try {
            Opening current = opening;
            Lease<BackendConnection> before = broker.lease();
            boolean busy = reading || writing || engine.commandInFlight() != null || toBackend.length() > 0;
            if (over || busy || current == null || before == null) {
                return CompletableFuture.completedFuture(StatementOutcome.busy());
            }
            current.leave(BackendConnection.deadlineOf(proxy.talkTimeout()));
            followReplacement(before);
            BackendConnection backend = Objects.requireNonNull(broker.current());
            engine.execute(sql, outcome::complete);
            byte[] bytes = new byte[toBackend.length()];
            toBackend.take(bytes, 0, bytes.length);
            backend.write(bytes, 0, bytes.length);
            byte[] answer = new byte[READ_AHEAD_BELOW];
            long begun = System.nanoTime();
            long deadline = begun + proxy.talkTimeout().toNanos();
            while (!outcome.isDone()) {
                int count = backend.readWithin(answer, 0, answer.length, deadline, begun);
                if (count < 0) {
                    engine.backendClosed("closed by the backend");
                } else {
                    chunk = answer;
                    engine.backendBytes(ByteBuffer.wrap(answer, 0, count));
                }
            }
        } catch (IOException e) {
            broker.abort(String.valueOf(e.getMessage()));
            engine.backendClosed(String.valueOf(e.getMessage()));
            // Where it was not even sent: whoever asked tries another session.
            outcome.complete(StatementOutcome.busy());
        } finally {
            unlock();
        }
        return outcome;
    }

    @Override
    public void close(ProxyError cause, String reason) {
        if (lock.tryLock()) {
            try {
                engine.kill(new ProxyException(cause, reason));
            } finally {
                unlock();
            }
        } else {
            broker.abort(reason);
        }
    }

    @Override
    public void drain() {
        if (lock.tryLock()) {
            try {
                engine.drain();
            } finally {
                unlock();
            }
        }
    }
}

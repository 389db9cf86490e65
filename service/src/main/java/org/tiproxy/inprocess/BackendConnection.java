package org.tiproxy.inprocess;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.engine.KillAim;
import org.tiproxy.engine.SharedMySqlConnections;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendLogin;
import org.tiproxy.session.BackendRequest;
import org.tiproxy.session.BackendTalk;
import org.tiproxy.session.ConnectionPreparation;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.session.PoolKey;
import org.tiproxy.session.TlsMode;
import org.tiproxy.wire.PacketFramer;
import org.tiproxy.wire.client.ComSimple;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/**
 * A blocking backend connection of the pool. It exists before its socket does: a pool's place, which is connected and
 * logged in by the thread that is the first to borrow it, so that a failure is that borrower's, at once.
 *
 * <p>Used by one thread at a time, except for {@link #abort} and what operators read.
 */
final class BackendConnection implements SharedMySqlConnections.MySqlConnection {
    static final ConnectionAttributes ATTRIBUTES = ConnectionAttributes.of(Map.of("program_name", "tiproxy"));

    private static final PoolKey NOBODY = new PoolKey("", 0, 0);
    private static final int CHUNK = 4 * 1024;
    private static final byte[] QUIT = packet(Command.COM_QUIT);
    private static final byte[] PING = packet(Command.COM_PING);

    private final HostPort address;
    private final BackendTls tls;
    private final WaitLimits limits;

    private volatile @Nullable Socket socket;
    /** The same without TLS, which can be closed without waiting for anybody. */
    private volatile @Nullable Socket plain;

    private volatile boolean timedOut;
    private @Nullable InputStream input;
    private @Nullable OutputStream output;
    private byte[] unsent = new byte[256];
    private int unsentLength;
    private int soTimeout;

    private volatile @Nullable BackendConnectionInfo info;
    private volatile String user = "";
    private volatile boolean atRest;
    private volatile @Nullable String lost;

    /** What runs on it, or has run, and must be read before anything else is. */
    private @Nullable ConnectionPreparation preparation;

    private long preparedAt;

    private final KillAim aim = new KillAim();

    private List<OpeningStatement> opening = List.of();
    private long lastHeard;

    BackendConnection(HostPort address, BackendTls tls, WaitLimits limits) {
        this.address = address;
        this.tls = tls;
        this.limits = limits;
    }

    HostPort address() {
        return address;
    }

    // ---- opening it

    boolean isConnected() {
        return socket != null;
    }

    /** Connects, and reads the greeting. */
    HandshakeV10 connect(Duration timeout) throws IOException {
        long deadline = deadlineOf(timeout);
        InetSocketAddress resolved = address.resolve();
        if (resolved.isUnresolved()) {
            throw new UnknownHostException(address.host());
        }
        Socket opened = new Socket();
        socket = opened;
        plain = opened;
        boolean greeted = false;
        try {
            opened.setTcpNoDelay(true);
            opened.setKeepAlive(true);
            within(deadline, System.nanoTime(), () -> {
                opened.connect(resolved);
                return 0;
            });
            use(opened);
            BackendLogin hello = new BackendLogin(
                    new BackendRequest(NOBODY, "", null, true), TlsMode.DISABLED, ATTRIBUTES, this::send);
            converse(hello, deadline);
            if (hello.state() == BackendLogin.State.FAILED) {
                throw new RefusedException(address, hello.failure());
            }
            greeted = true;
            info = hello.result();
            return hello.result().greeting();
        } finally {
            if (!greeted) {
                abort("it could not be opened");
            }
        }
    }

    /** Logs in on a connection that has greeted, with TLS before if that is due. */
    void logIn(BackendRequest request, Duration timeout) throws IOException {
        long deadline = deadlineOf(timeout);
        BackendConnectionInfo greeted = info;
        if (greeted == null) {
            throw new IllegalStateException("it has not greeted");
        }
        BackendLogin login = new BackendLogin(request, tls.mode(), ATTRIBUTES, this::send);
        login.greeted(greeted.greeting());
        SSLSession secured = null;
        if (login.state() == BackendLogin.State.TLS_WANTED) {
            secured = startTls(deadline);
            login.tlsStarted(!CertificateProof.isOwed(secured));
        }
        converse(login, deadline);
        if (login.state() == BackendLogin.State.FAILED) {
            throw new RefusedException(address, login.failure(), login.unsupportedPlugin());
        }
        if (secured != null) {
            CertificateProof.check(secured, login.result(), request.credentials());
        }
        became(login.result());
    }

    /** Takes over the socket of another one, which has greeted, and may be logged in, and is nothing any more. */
    void adopt(BackendConnection opened) throws IOException {
        Socket its = present(opened.socket);
        info = opened.info;
        user = opened.user;
        atRest = opened.atRest;
        lastHeard = opened.lastHeard;
        plain = opened.plain;
        use(its);
    }

    private SSLSession startTls(long deadline) throws IOException {
        flush();
        SSLSocket secure =
                (SSLSocket) tls.socketFactory().createSocket(present(socket), address.host(), address.port(), true);
        if (tls.verifyHostname()) {
            SSLParameters parameters = secure.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secure.setSSLParameters(parameters);
        }
        within(deadline, System.nanoTime(), () -> {
            secure.startHandshake();
            return 0;
        });
        use(secure);
        return secure.getSession();
    }

    private void use(Socket used) throws IOException {
        socket = used;
        input = used.getInputStream();
        output = used.getOutputStream();
        soTimeout = -1;
        if (lost != null) {
            // Somebody gave it up while it was connecting.
            used.close();
        }
    }

    // ---- bytes

    /** Keeps a copy of the bytes until {@link #flush}. */
    void send(ByteBuffer bytes) {
        int count = bytes.remaining();
        reserve(count);
        bytes.get(unsent, unsentLength, count);
        unsentLength += count;
    }

    private void reserve(int count) {
        if (unsentLength + count > unsent.length) {
            byte[] larger = Arrays.copyOf(unsent, Math.max(unsentLength + count, 2 * unsent.length));
            Arrays.fill(unsent, (byte) 0);
            unsent = larger;
        }
    }

    /** Sends what was kept. It may hold a password, so it is overwritten. */
    void flush() throws IOException {
        int count = unsentLength;
        if (count > 0) {
            unsentLength = 0;
            try {
                present(output).write(unsent, 0, count);
            } finally {
                Arrays.fill(unsent, 0, count, (byte) 0);
            }
        }
    }

    /** Sends bytes of the session. */
    void write(byte[] bytes, int offset, int length) throws IOException {
        atRest = false;
        present(output).write(bytes, offset, length);
    }

    /** Reads what there is, and waits for something; -1 at the end. */
    int read(byte[] target, int offset, int length, int timeoutMillis) throws IOException {
        if (timeoutMillis != soTimeout) {
            present(socket).setSoTimeout(timeoutMillis);
            soTimeout = timeoutMillis;
        }
        int count = present(input).read(target, offset, length);
        lastHeard = System.nanoTime();
        return count;
    }

    private interface Wait {
        int await() throws IOException;
    }

    /** Does something that may take as long as the backend likes, until the deadline. */
    private int within(long deadline, long begun, Wait wait) throws IOException {
        boolean inTime;
        int result;
        try {
            limits.begin(this, deadline);
            result = wait.await();
        } catch (IOException e) {
            if (timedOut) {
                SocketTimeoutException late = late(begun);
                late.initCause(e);
                throw late;
            }
            throw e;
        } finally {
            inTime = limits.end(this);
        }
        if (!inTime) {
            // It came in the moment in which it was given up, and the connection is being closed.
            throw late(begun);
        }
        return result;
    }

    /**
     * Reads as {@link #read}, until the deadline.
     *
     * @param begun since when the backend is waited for, on {@link System#nanoTime}
     */
    int readWithin(byte[] target, int offset, int length, long deadline, long begun) throws IOException {
        if (present(input).available() > 0) {
            return read(target, offset, length, 0);
        }
        if (deadline - System.nanoTime() <= 0) {
            throw late(begun);
        }
        return within(deadline, begun, () -> read(target, offset, length, 0));
    }

    /** Its thread has waited for too long. On any thread; does not block. */
    void timeOut() {
        timedOut = true;
        if (lost == null) {
            lost = "it was waited for for too long";
        }
        Socket open = plain;
        if (open != null) {
            close(open);
        }
    }

    private SocketTimeoutException late(long begun) {
        long millis = (System.nanoTime() - begun) / 1_000_000;
        return new SocketTimeoutException("the backend " + address + " has not answered for " + millis
                + " ms (limits: pool.connect-timeout, pool.validation-timeout for a login or a cleaning,"
                + " and the driver's own time-outs)");
    }

    /** Sends what is kept, and waits for the answers. Anything behind them is an error. */
    void converse(BackendTalk talk, long deadline) throws IOException {
        atRest = false;
        flush();
        long begun = System.nanoTime();
        byte[] array = new byte[CHUNK];
        PacketFramer framer = new PacketFramer();
        while (!talk.isOver()) {
            int count = readWithin(array, 0, array.length, deadline, begun);
            if (count < 0) {
                throw new EOFException("the backend " + address + " has closed the connection");
            }
            ByteBuffer chunk = ByteBuffer.wrap(array, 0, count);
            while (chunk.hasRemaining() && !talk.isOver()) {
                // Packet by packet: a talk may consist of parts that want nothing of what follows theirs.
                ByteBuffer part = chunk.duplicate();
                passPacket(framer, chunk);
                talk.bytes(part.limit(chunk.position()));
                // The answer to an answer.
                flush();
            }
            if (chunk.hasRemaining()) {
                throw new IOException("the backend " + address + " has sent " + chunk.remaining() + " bytes unasked");
            }
        }
        atRest = true;
    }

    /** Moves the position to the end of the packet, or of the chunk. */
    private static void passPacket(PacketFramer framer, ByteBuffer chunk) {
        if (framer.inPayload() || framer.readHeader(chunk)) {
            framer.skip(chunk);
        }
    }

    // ---- its condition

    @Nullable
    BackendConnectionInfo info() {
        return info;
    }

    void became(BackendConnectionInfo now) {
        info = now;
        String name = now.user();
        user = name == null ? "" : name;
    }

    @Override
    public String user() {
        return user;
    }

    @Override
    public long threadId() {
        BackendConnectionInfo known = info;
        return known == null ? 0 : known.threadId();
    }

    void userChanged(String name) {
        user = name;
    }

    /** The statements that were run since it was clean, and nothing else was. */
    List<OpeningStatement> opening() {
        return opening;
    }

    void setOpening(List<OpeningStatement> statements) {
        opening = List.copyOf(statements);
    }

    /** When the backend was last known to be there, on {@link System#nanoTime}. */
    long lastHeard() {
        return lastHeard;
    }

    boolean isAlive() {
        return lost == null;
    }

    @Nullable
    String lost() {
        return lost;
    }

    /** Goes on until it is read by {@link #finishPreparation}. */
    void prepare(ConnectionPreparation begun) {
        preparation = begun;
        preparedAt = System.nanoTime();
    }

    /** Waits for what was begun when the connection was given back. */
    void finishPreparation(Duration timeout) throws IOException {
        ConnectionPreparation current = preparation;
        if (current != null) {
            preparation = null;
            converse(current, deadlineOf(timeout));
            String failure = current.failure();
            if (failure != null) {
                throw new IOException(failure);
            }
            became(current.result());
            opening = current.opening();
            // The answers have lain there since, and may be the last that the backend has sent.
            lastHeard = preparedAt;
        }
    }

    /** Whose it is. */
    KillAim aim() {
        return aim;
    }

    /** Whether the backend answers a COM_PING. */
    boolean ping(Duration timeout) {
        try {
            finishPreparation(timeout);
            send(ByteBuffer.wrap(PING));
            PingAnswer answer = new PingAnswer();
            converse(answer, deadlineOf(timeout));
            return answer.isOk();
        } catch (IOException e) {
            abort(String.valueOf(e.getMessage()));
            return false;
        }
    }

    private static final class PingAnswer implements BackendTalk {
        private int count;
        private int header = -1;
        private int length;

        @Override
        public void bytes(ByteBuffer chunk) {
            while (chunk.hasRemaining()) {
                int next = chunk.get() & 0xff;
                if (count < 3) {
                    length |= next << (8 * count);
                } else if (count == PacketFramer.HEADER_LENGTH) {
                    header = next;
                }
                count++;
            }
        }

        @Override
        public boolean isOver() {
            return count > PacketFramer.HEADER_LENGTH && count >= length + PacketFramer.HEADER_LENGTH;
        }

        boolean isOk() {
            return header == OkPacket.HEADER;
        }
    }

    /** Closes it at once, on any thread: whoever reads or writes gets an exception. */
    void abort(String why) {
        if (lost == null) {
            lost = why;
        }
        // First without TLS: whoever closes an SSLSocket may wait for its readers and writers, and for the backend.
        Socket under = plain;
        if (under != null) {
            close(under);
        }
        Socket open = socket;
        if (open != null && open != under) {
            close(open);
        }
    }

    private static void close(Socket open) {
        try {
            open.close();
        } catch (IOException e) {
            // It is of no further use either way.
            return;
        }
    }

    /** As {@link #close}, and does not come back before the backend has closed it too, and counts it no more. */
    void closeAndWait(Duration timeout) {
        try {
            send(ByteBuffer.wrap(QUIT));
            atRest = false;
            flush();
            byte[] nothing = new byte[CHUNK];
            long begun = System.nanoTime();
            while (readWithin(nothing, 0, nothing.length, begun + timeout.toNanos(), begun) >= 0) {
                // There is nothing to come.
            }
        } catch (IOException e) {
            abort(String.valueOf(e.getMessage()));
        }
        close();
    }

    /** Closes it, with a COM_QUIT where the backend waits for a command: without, it would log an aborted connection. */
    void close() {
        BackendConnectionInfo now = info;
        if ((atRest || preparation != null) && lost == null && now != null && now.isLoggedIn()) {
            try {
                present(output).write(QUIT);
            } catch (IOException e) {
                // Then it is gone already.
                lost = e.getMessage();
            }
        }
        abort("closed by the pool");
    }

    static long deadlineOf(Duration timeout) {
        return System.nanoTime() + timeout.toNanos();
    }

    private static byte[] packet(Command command) {
        ByteBuffer packet = ComSimple.encode(command).toPacket(0);
        byte[] bytes = new byte[packet.remaining()];
        packet.get(bytes);
        return bytes;
    }

    private static <T> T present(@Nullable T value) throws IOException {
        if (value == null) {
            throw new IOException("the pooled connection has no socket: it was not opened yet");
        }
        return value;
    }
}

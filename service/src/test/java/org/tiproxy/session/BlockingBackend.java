package org.tiproxy.session;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.ResponseEvent;
import org.tiproxy.wire.ResponseKind;
import org.tiproxy.wire.ResponseScanner;
import org.tiproxy.wire.client.ComQuery;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Command;
import org.tiproxy.wire.server.ErrPacket;

/** A backend connection of a test's pool, driven by whoever has it. */
final class BlockingBackend implements AutoCloseable {
    static final ConnectionAttributes ATTRIBUTES = ConnectionAttributes.of(Map.of("program_name", "tiproxy"));

    final SocketChannel channel;
    BackendConnectionInfo info;
    /** The capabilities of the key that the connection was opened for. */
    final long openedFor;

    /** Connects, and logs in as far as the request's credentials go. */
    BlockingBackend(SocketAddress address, BackendRequest request) throws IOException {
        channel = SocketChannel.open(address);
        openedFor = request.key().capabilities();
        BackendLogin login = new BackendLogin(request, TlsMode.DISABLED, ATTRIBUTES, this::write);
        read(
                () -> login.state() != BackendLogin.State.DONE && login.state() != BackendLogin.State.FAILED,
                login::bytes);
        if (login.state() == BackendLogin.State.FAILED) {
            channel.close();
            throw new RefusedException(login.failure());
        }
        info = login.result();
    }

    /** Whether the connection is clean now; otherwise it is closed. */
    boolean clean(BackendRelease release, BackendRequest served) throws IOException {
        channel.configureBlocking(true);
        if (!release.reusable()) {
            channel.close();
            return false;
        }
        return run(ConnectionCleaner.afterUse(release, served, ATTRIBUTES, this::write));
    }

    /** Makes it what a request wants. */
    void prepare(BackendRequest request) throws IOException {
        ConnectionCleaner cleaner = ConnectionCleaner.beforeUse(info, request, ATTRIBUTES, this::write);
        if (!run(cleaner)) {
            throw new RefusedException(cleaner.failure());
        }
    }

    /** Runs a statement without a result set. */
    void execute(String sql) throws IOException {
        write(ComQuery.of(sql).encode().toPacket(0));
        ResponseScanner scanner = new ResponseScanner(info.capabilities(), 512);
        scanner.begin(Command.COM_QUERY);
        ResponseEvent[] last = {ResponseEvent.NEED_BYTES};
        read(() -> last[0] != ResponseEvent.COMPLETE, chunk -> last[0] = scanner.scan(chunk));
        if (scanner.outcome().kind() == ResponseKind.ERR) {
            byte[] err = new byte[scanner.packet().remaining()];
            scanner.packet().get(err);
            throw new IOException(sql + ": " + ErrPacket.decode(Bytes.of(err)).message());
        }
    }

    void write(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean run(ConnectionCleaner cleaner) throws IOException {
        read(() -> cleaner.state() == ConnectionCleaner.State.RUNNING, cleaner::bytes);
        if (cleaner.state() == ConnectionCleaner.State.FAILED) {
            channel.close();
            return false;
        }
        info = cleaner.result();
        return cleaner.state() == ConnectionCleaner.State.CLEAN;
    }

    private void read(BooleanSupplier goesOn, Consumer<ByteBuffer> event) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(4096);
        while (goesOn.getAsBoolean()) {
            chunk.clear();
            if (channel.read(chunk) < 0) {
                throw new EOFException("the backend has closed the connection");
            }
            event.accept(chunk.flip());
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** The backend has said no. */
    static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1;

        private final transient ErrPacket err;

        RefusedException(ErrPacket err) {
            super("ERR " + err.code() + " " + err.message());
            this.err = err;
        }

        ErrPacket err() {
            return err;
        }
    }
}

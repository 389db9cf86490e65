package org.tiproxy.session;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.PacketFramer;
import org.tiproxy.wire.client.ConnectionAttributes;
import org.tiproxy.wire.protocol.Command;

/**
 * What a connection is made to do between two sessions: to become clean ({@link ConnectionCleaner}), and then to run the
 * statements with which the next session will probably open ({@link OpeningDialogue}).
 *
 * <p>Everything is sent together, because servers answer one command after the other. Only a login asks back: a cleaning
 * that begins with one has the statements wait for its end. One that goes over to a login later, which it does when a reset
 * was not enough, undoes them; they are sent once more.
 *
 * <p>Not thread-safe.
 */
public final class ConnectionPreparation implements BackendTalk {
    private final ConnectionCleaner cleaner;
    private final List<Bytes> statements;
    private final Consumer<ByteBuffer> output;
    private final long capabilities;
    private OpeningStatement.Recorder recorder;
    private final PacketFramer framer = new PacketFramer();

    private boolean authenticates;
    private boolean asksBack;
    private boolean sent;
    private int unasked;

    private ConnectionPreparation(
            BackendRelease release,
            BackendRequest served,
            List<Bytes> statements,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output) {
        this.statements = List.copyOf(statements);
        this.output = output;
        this.capabilities = release.info().capabilities();
        this.recorder = new OpeningStatement.Recorder(this.statements, capabilities);
        this.cleaner = ConnectionCleaner.afterUse(release, served, attributes, this::send);
    }

    /**
     * Prepares a connection that a session has given back as reusable. Sends at once.
     *
     * @param served the request that the connection has served
     * @param statements packets with their headers
     * @param attributes as in {@link BackendLogin}
     * @param output as in {@link BackendLogin}
     * @throws IllegalArgumentException if the connection is not reusable
     */
    public static ConnectionPreparation begin(
            BackendRelease release,
            BackendRequest served,
            List<Bytes> statements,
            ConnectionAttributes attributes,
            Consumer<ByteBuffer> output) {
        ConnectionPreparation begun = new ConnectionPreparation(release, served, statements, attributes, output);
        begun.asksBack = begun.authenticates;
        if (!begun.asksBack) {
            begun.sendStatements();
        }
        return begun;
    }

    private void send(ByteBuffer packet) {
        int header = packet.get(packet.position() + PacketFramer.HEADER_LENGTH) & 0xff;
        authenticates |= header == Command.COM_CHANGE_USER.code();
        output.accept(packet);
    }

    private void sendStatements() {
        sent = true;
        statements.forEach(statement -> output.accept(statement.asByteBuffer()));
    }

    /** Whether it begins with a login, so that the backend may wait for a packet of ours. */
    public boolean asksBack() {
        return asksBack;
    }

    /** Whether no more answers are due, or how many are due is not known any more. */
    @Override
    public boolean isOver() {
        return switch (cleaner.state()) {
            // If an answer to a statement was not as it should be, how many are still to come is not known.
            case RUNNING -> recorder.failure() != null;
            case CLEAN -> sent && recorder.isOver();
            case REFUSED, FAILED -> true;
        };
    }

    /** Why the connection is not clean or not prepared, when it is over; null if it is both. */
    public @Nullable String failure() {
        if (cleaner.state() == ConnectionCleaner.State.FAILED || cleaner.state() == ConnectionCleaner.State.REFUSED) {
            return "the connection could not be cleaned: ERR "
                    + cleaner.failure().code() + " " + cleaner.failure().message();
        }
        if (recorder.failure() != null) {
            return "the connection could not be prepared: " + recorder.failure();
        }
        return unasked == 0 ? null : "the backend has sent " + unasked + " bytes unasked behind the cleaning";
    }

    /** The connection as it is now, when it is over without a failure. */
    public BackendConnectionInfo result() {
        return cleaner.result();
    }

    /** What was said on the connection since it is clean, when it is over without a failure. */
    public List<OpeningStatement> opening() {
        return List.copyOf(recorder.answered());
    }

    /** The backend has sent bytes: all are taken. */
    @Override
    public void bytes(ByteBuffer chunk) {
        while (chunk.hasRemaining() && !isOver()) {
            // Packet by packet: the parts want nothing of what follows theirs.
            ByteBuffer part = chunk.duplicate();
            if (framer.inPayload() || framer.readHeader(chunk)) {
                framer.skip(chunk);
            }
            part.limit(chunk.position());
            take(part);
        }
        unasked = chunk.remaining();
        chunk.position(chunk.limit());
    }

    private void take(ByteBuffer part) {
        boolean cleaning = cleaner.state() == ConnectionCleaner.State.RUNNING;
        // The answers to the statements may come before those that the cleaner waits for.
        boolean overtaken = sent && authenticates && !recorder.isOver();
        if (!cleaning) {
            recorder.bytes(part);
        } else if (overtaken) {
            recorder.bytes(part);
            if (recorder.isOver() && recorder.failure() == null) {
                // The login that goes on undoes them.
                recorder = new OpeningStatement.Recorder(statements, capabilities);
                sent = false;
            }
        } else {
            cleaner.bytes(part);
            if (cleaner.state() == ConnectionCleaner.State.CLEAN && !sent) {
                sendStatements();
            }
        }
    }
}

package org.tiproxy.inprocess;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.ConnectionCleaner;
import org.tiproxy.session.OpeningStatement;
import org.tiproxy.wire.Bytes;

/**
 * What a connection is made to do between two sessions: to become clean, and then to run the statements with which the
 * next session will probably open. Everything is sent when one session ends; the answers are read when the next one
 * begins, so that nobody waits for them.
 */
final class Preparation implements BackendConnection.Talk {
    private final @Nullable ConnectionCleaner cleaner;
    private final List<Bytes> statements;
    private final BooleanSupplier authenticates;
    private OpeningStatement.@Nullable Recorder recorder;

    /**
     * A preparation that is under way.
     *
     * @param cleaner null if the connection is clean
     * @param statements packets that are sent already, or come with {@link #finish}
     * @param authenticates whether the cleaner has gone over to a change of user, which it does when a reset was not
     *     enough: the statements were sent before that, and are undone by it
     */
    Preparation(@Nullable ConnectionCleaner cleaner, List<Bytes> statements, BooleanSupplier authenticates) {
        this.cleaner = cleaner;
        this.authenticates = authenticates;
        this.statements = List.copyOf(statements);
    }

    List<Bytes> statements() {
        return statements;
    }

    /** Reads all answers. */
    void finish(BackendConnection connection, long deadline) throws IOException {
        connection.converse(this, deadline);
        if (cleaner != null) {
            if (cleaner.state() != ConnectionCleaner.State.CLEAN) {
                throw new IOException("the connection could not be cleaned: ERR "
                        + cleaner.failure().code() + " " + cleaner.failure().message());
            }
            connection.became(cleaner.result());
        }
        OpeningStatement.Recorder answers = recorder(connection);
        if (answers.failure() != null) {
            throw new IOException("the connection could not be prepared: " + answers.failure());
        }
        connection.setOpening(authenticates.getAsBoolean() ? List.of() : answers.answered());
    }

    /** Whether it has ended well as far as the cleaning goes. */
    private boolean isClean() {
        return cleaner == null || cleaner.state() == ConnectionCleaner.State.CLEAN;
    }

    private OpeningStatement.Recorder recorder(BackendConnection connection) {
        OpeningStatement.Recorder current = recorder;
        if (current == null) {
            BackendConnectionInfo info = connection.info();
            current = new OpeningStatement.Recorder(statements, info == null ? 0 : info.capabilities());
            recorder = current;
        }
        return current;
    }

    void begin(BackendConnection connection) {
        recorder(connection);
    }

    @Override
    public void bytes(ByteBuffer chunk) {
        if (cleaner != null && cleaner.state() == ConnectionCleaner.State.RUNNING && !isOvertaken()) {
            cleaner.bytes(chunk);
        } else if (recorder != null) {
            recorder.bytes(chunk);
        }
    }

    /** Whether the answers to the statements come before those that the cleaner waits for. */
    private boolean isOvertaken() {
        return authenticates.getAsBoolean() && recorder != null && !recorder.isOver();
    }

    @Override
    public boolean isOver() {
        if (recorder != null && recorder.failure() != null) {
            // How many answers are still to come is not known then.
            return true;
        }
        if (cleaner != null && cleaner.state() == ConnectionCleaner.State.RUNNING) {
            return false;
        }
        return !isClean() || recorder == null || recorder.isOver();
    }
}

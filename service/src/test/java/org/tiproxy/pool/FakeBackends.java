package org.tiproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/** Backends in memory, for one thread: what they do is decided by the test, what the pool does to them is checked. */
final class FakeBackends implements KeyedConnectionFactory<String, FakeBackends.Connection> {
    /** How a backend answers. */
    enum Mood {
        UP,
        /** Connects and probes fail at once. */
        DOWN,
        /** Connects and probes stay without an answer until {@link #answer}. */
        SILENT
    }

    static final class Connection {
        final String key;
        final HostPort address;
        boolean open = true;
        /** The peer has closed it, or sent something. */
        boolean dead;
        /** The pool has been told so, by a listener, a probe or a borrower. */
        boolean knownDead;

        boolean watched;
        boolean lent;
        /** Nobody has to come soon: it was used, or needs nobody. */
        boolean patient;

        @Nullable
        IdleListener listener;

        Connection(String key, HostPort address) {
            this.key = key;
            this.address = address;
        }
    }

    /** Something that waits for an answer. */
    record Question(CompletableFuture<?> future, Runnable answer) {}

    final List<Connection> open = new ArrayList<>();
    final Map<HostPort, Mood> moods = new HashMap<>();
    final Set<Question> questions = new LinkedHashSet<>();
    /** Keys with which nothing can be opened ahead. */
    final Set<String> refused = new LinkedHashSet<>();

    /** Keys whose connections are not left alone before somebody has used them, and that need somebody to be opened for. */
    final Set<String> impatient = new LinkedHashSet<>();

    /** Who leaves while a connection is looked at for the last time. */
    @Nullable
    CompletableFuture<?> cancelWhenReused;

    /** How many connections a backend allows. */
    int room = Integer.MAX_VALUE;

    int bound = Integer.MAX_VALUE;
    int connects;
    int probes;
    /** False for backends whose close is not noticed by watching or a last look, only by probing. */
    boolean deathIsVisible = true;

    long openTo(HostPort address) {
        return open.stream().filter(one -> one.address.equals(address)).count();
    }

    private Mood mood(HostPort address) {
        return moods.getOrDefault(address, Mood.UP);
    }

    @Override
    public CompletableFuture<Connection> connect(String key, HostPort address, Duration timeout) {
        connects++;
        assertThat(openTo(address)).as("connections before another is opened").isLessThan(bound);
        CompletableFuture<Connection> future = new CompletableFuture<>();
        if (mood(address) == Mood.UP && openTo(address) >= room) {
            future.completeExceptionally(new NoRoomException("too many at " + address));
            return future;
        }
        switch (mood(address)) {
            case UP -> completeConnect(future, key, address);
            case DOWN -> future.completeExceptionally(new IOException("refused by " + address));
            case SILENT ->
                questions.add(new Question(future, () -> {
                    if (future.isDone()) {
                        return;
                    }
                    if (mood(address) == Mood.UP) {
                        completeConnect(future, key, address);
                    } else {
                        future.completeExceptionally(new IOException("refused late by " + address));
                    }
                }));
        }
        return future;
    }

    private void completeConnect(CompletableFuture<Connection> future, String key, HostPort address) {
        Connection connection = new Connection(key, address);
        connection.patient = !impatient.contains(key);
        open.add(connection);
        if (!future.complete(connection)) {
            open.remove(connection);
        }
    }

    @Override
    public boolean opensAhead(String key) {
        return !impatient.contains(key);
    }

    @Override
    public boolean canStayIdle(Connection connection) {
        return connection.patient;
    }

    @Override
    public CompletableFuture<Connection> connectAhead(String key, HostPort address, Duration timeout) {
        return refused.contains(key)
                ? CompletableFuture.failedFuture(new KeyRefusedException("nobody wants " + key))
                : connect(key, address, timeout);
    }

    @Override
    public CompletableFuture<Boolean> probe(Connection connection, Duration timeout) {
        probes++;
        assertThat(connection.watched).as("watched while it is probed").isFalse();
        assertThat(connection.lent).as("probed while it is lent").isFalse();
        CompletableFuture<Boolean> future = new CompletableFuture<>();
        switch (mood(connection.address)) {
            case UP -> answerProbe(connection, future);
            case DOWN -> future.completeExceptionally(new IOException("reset by " + connection.address));
            case SILENT -> questions.add(new Question(future, () -> answerProbe(connection, future)));
        }
        return future;
    }

    private static void answerProbe(Connection connection, CompletableFuture<Boolean> future) {
        if (!connection.dead) {
            future.complete(true);
        } else {
            connection.knownDead = true;
            future.complete(false);
        }
    }

    /** Gives one silent question its answer. */
    void answer(Question question) {
        questions.remove(question);
        question.answer.run();
    }

    @Override
    public void close(Connection connection) {
        assertThat(connection.open).as("closed once").isTrue();
        assertThat(connection.lent).as("closed while it is lent").isFalse();
        connection.open = false;
        connection.watched = false;
        open.remove(connection);
    }

    @Override
    public void idle(Connection connection, IdleListener listener) {
        assertThat(connection.watched).as("watched twice").isFalse();
        connection.watched = true;
        connection.listener = listener;
    }

    @Override
    public boolean reuse(Connection connection) {
        assertThat(connection.watched).as("was watched").isTrue();
        connection.watched = false;
        if (cancelWhenReused != null) {
            cancelWhenReused.cancel(false);
        }
        if (connection.dead && deathIsVisible) {
            connection.knownDead = true;
            return false;
        }
        return true;
    }

    /** The peer closes the connection. */
    void kill(Connection connection, boolean tell) {
        connection.dead = true;
        if (tell && connection.watched && connection.listener != null) {
            connection.knownDead = true;
            connection.listener.lost("closed by the peer");
        }
    }
}

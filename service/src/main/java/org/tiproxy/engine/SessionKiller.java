package org.tiproxy.engine;

import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.error.ProxyError;
import org.tiproxy.session.StatementOutcome;
import org.tiproxy.session.StatementOutcome.Result;

/**
 * Ends sessions, or the statements that they run, for an operator. The proxy has no account at the backend, and a user
 * may kill what is its own: a KILL is sent through another, idle session of the same user. Thread-safe; nothing blocks.
 */
public final class SessionKiller {
    private static final Logger log = LoggerFactory.getLogger(SessionKiller.class);

    private final SessionRegistry sessions;

    /** A killer of these sessions. */
    public SessionKiller(SessionRegistry sessions) {
        this.sessions = sessions;
    }

    /**
     * Ends a session on both sides; its client is told. A backend notices a closed connection only when it writes to it,
     * so the statement that runs, if one does, is killed as well, if an idle session of the same user is there to do it.
     *
     * @return false if there is none with this id
     */
    public boolean killSession(long id) {
        ProxySession victim = sessions.find(id);
        if (victim == null) {
            return false;
        }
        long thread = victim.command().isEmpty() ? 0 : victim.aimKill();
        String statement = "KILL " + thread;
        List<ProxySession> helpers = thread == 0 ? List.of() : helpersFor(victim, victim.user());
        // First our end: otherwise the backend would seem to have closed the connection.
        victim.close(ProxyError.CLOSED_BY_OPERATOR, "session " + id + " was killed by an operator", () -> {
            if (!helpers.isEmpty()) {
                var unused = runOnFirst(helpers.iterator(), statement)
                        .thenAccept(outcome ->
                                log.debug("{} for session {}: {} {}", statement, id, outcome.result(), outcome.text()));
            }
        });
        return true;
    }

    /**
     * Interrupts the statement that a session runs; the session goes on.
     *
     * @return completes with a sentence, or with an {@link IllegalStateException} that says why it was not possible and
     *     what to do instead
     */
    public CompletableFuture<String> killQuery(long id) {
        ProxySession victim = sessions.find(id);
        if (victim == null) {
            return failed("there is no session " + id + ": listConnections() shows those that are open");
        }
        String command = victim.command();
        long thread = victim.backendConnectionId();
        if (thread == 0) {
            return failed("session " + id + " cannot be interrupted: nobody is logged in, or the protocol is tcp."
                    + " killSession(" + id + ") ends it");
        }
        if (command.isEmpty()) {
            return failed("session " + id + " executes no command now");
        }
        if (victim.aimKill() != thread) {
            return failed("session " + id + " executes no command now: it is about to end");
        }
        String statement = "KILL QUERY " + thread;
        return runOnFirst(helpersFor(victim, victim.user()).iterator(), statement)
                .thenApply(outcome -> switch (outcome.result()) {
                    case OK ->
                        "the backend was told to interrupt the " + command + " of session " + id + ": " + statement;
                    case BUSY ->
                        throw new IllegalStateException("session " + id
                                + " cannot be interrupted: no other session of user '"
                                + victim.user() + "' is idle and outside of a transaction, through which " + statement
                                + " could be sent. killSession(" + id + ") ends the session itself");
                    case FAILED ->
                        throw new IllegalStateException("session " + id + " was not interrupted: " + statement
                                + " failed: " + outcome.text() + ". killSession(" + id + ") ends the session itself");
                });
    }

    /**
     * Sends a user's KILL through an idle session of that user with the victim's backend; the backend checks the privileges.
     * The outcome is only logged.
     *
     * @param statement what to send, given the backend's own id of the victim
     * @return false if there is no such session, or nothing to kill
     */
    public boolean kill(ProxySession victim, String user, LongFunction<String> statement) {
        List<ProxySession> helpers = helpersFor(victim, user);
        long thread = helpers.isEmpty() ? 0 : victim.aimKill();
        if (thread == 0) {
            return false;
        }
        var unused = runOnFirst(helpers.iterator(), statement.apply(thread))
                .thenAccept(outcome -> log.debug(
                        "KILL for session {}, asked for by another one: {} {}",
                        victim.id(),
                        outcome.result(),
                        outcome.text()));
        return true;
    }

    /** Idle sessions of a user with the victim's backend, the one that has been quiet for longest first. */
    private List<ProxySession> helpersFor(ProxySession victim, String user) {
        return sessions.sessions().stream()
                .filter(session -> session != victim
                        && session.backendConnectionId() != 0
                        && session.user().equals(user)
                        && session.backend() != null
                        && session.backend().equals(victim.backend())
                        && session.command().isEmpty()
                        && session.transaction().equals("NONE"))
                .sorted(Comparator.comparingLong(ProxySession::quietMillis).reversed())
                .toList();
    }

    /** Asks one after the other, until one is not busy after all. */
    private static CompletableFuture<StatementOutcome> runOnFirst(Iterator<ProxySession> helpers, String statement) {
        if (!helpers.hasNext()) {
            return CompletableFuture.completedFuture(StatementOutcome.busy());
        }
        return helpers.next()
                .execute(statement)
                .thenCompose(outcome -> outcome.result() == Result.BUSY
                        ? runOnFirst(helpers, statement)
                        : CompletableFuture.completedFuture(outcome));
    }

    private static CompletableFuture<String> failed(String why) {
        return CompletableFuture.failedFuture(new IllegalStateException(why));
    }
}

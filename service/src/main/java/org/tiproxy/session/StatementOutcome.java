package org.tiproxy.session;

/**
 * What has come of a statement that the proxy wanted to run over a session's backend connection.
 *
 * @param result how it went
 * @param text the reason, for people; empty if it went well
 */
public record StatementOutcome(Result result, String text) {
    /** How it went. */
    public enum Result {
        /** It was not sent: the session executes something, is in a transaction, or is not logged in. */
        BUSY,
        /** The backend has executed it. */
        OK,
        /** The backend has refused it, or the session has ended before the answer came. */
        FAILED
    }

    /** It was not sent. */
    public static StatementOutcome busy() {
        return new StatementOutcome(Result.BUSY, "the session is not idle");
    }

    /** It went well. */
    public static StatementOutcome ok() {
        return new StatementOutcome(Result.OK, "");
    }

    /** It failed for this reason. */
    public static StatementOutcome failed(String text) {
        return new StatementOutcome(Result.FAILED, text);
    }
}

package org.tiproxy.engine;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.session.EndReason;
import org.tiproxy.session.SessionEnd;
import org.tiproxy.session.TransactionState;

/**
 * What is counted over all sessions that the proxy understands. Thread-safe; counting neither locks nor lets event loops
 * wait for each other. Each session counts through a {@link Share} of its own.
 */
public final class SessionCounters {
    private final LongAdder commands = new LongAdder();
    private final LongAdder inTransaction = new LongAdder();
    private final LongAdder overTls = new LongAdder();
    private final LongAdder changesOfUserRefused = new LongAdder();
    private final Map<EndReason, LongAdder> ends = adders(EndReason.class);
    private final Map<ErrorSource, LongAdder> errors = adders(ErrorSource.class);

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> keys) {
        Map<E, LongAdder> adders = new EnumMap<>(keys);
        for (E key : keys.getEnumConstants()) {
            adders.put(key, new LongAdder());
        }
        return adders;
    }

    /** The share of a new session. */
    public Share newShare() {
        return new Share();
    }

    /** Commands that clients have sent. */
    public long commandsTotal() {
        return commands.sum();
    }

    /** Sessions in which a transaction is open, or may be after an error. */
    public long sessionsInTransaction() {
        return inTransaction.sum();
    }

    /** Sessions whose client is logged in over TLS. */
    public long tlsSessions() {
        return overTls.sum();
    }

    /** Logins and changes of the user that failed when it came to authentication. */
    public long authFailuresTotal() {
        return sumOf(EndReason::isAuthenticationFailure) + changesOfUserRefused.sum();
    }

    /** Sessions whose client did not get as far as authentication, by its own doing. */
    public long handshakeFailuresTotal() {
        return sumOf(EndReason::isHandshakeFailure);
    }

    /** {@link #handshakeFailuresTotal} by reason, without those that have not occurred. */
    public Map<String, Long> handshakeFailuresByReason() {
        return byReason(EndReason::isHandshakeFailure);
    }

    /** Sessions that have ended, by reason, without those that have not occurred. */
    public Map<String, Long> sessionsEndedByReason() {
        return byReason(reason -> true);
    }

    /** Sessions that ended with an error that {@code source} is to blame for. */
    public long errorsOf(ErrorSource source) {
        return requireNonNull(errors.get(source)).sum();
    }

    private long sumOf(Predicate<EndReason> wanted) {
        return byReason(wanted).values().stream().mapToLong(Long::longValue).sum();
    }

    private Map<String, Long> byReason(Predicate<EndReason> wanted) {
        Map<String, Long> counts = new LinkedHashMap<>();
        ends.forEach((reason, adder) -> {
            long count = adder.sum();
            if (count > 0 && wanted.test(reason)) {
                counts.put(reason.name(), count);
            }
        });
        return counts;
    }

    /**
     * One session's part in the counters. {@link #ended} takes back what it has added to the numbers of sessions, so that
     * none leaks. Calls come one at a time.
     */
    public final class Share {
        private boolean inTransactionNow;
        private boolean overTlsNow;
        private boolean over;

        private Share() {}

        /** The client is logged in; also again, after a change of the user. */
        public void loggedIn(boolean tls) {
            setOverTls(tls && !over);
        }

        /** A client that was logged in asked to be another user, and the backend refused it. */
        public void changeOfUserRefused() {
            changesOfUserRefused.increment();
        }

        /** The client has sent a command. */
        public void commandBegun() {
            commands.increment();
        }

        /** What is known about the transaction has changed. */
        public void transactionChanged(TransactionState state) {
            setInTransaction(state != TransactionState.NONE && !over);
        }

        /** The session is over; the first call counts. */
        public void ended(SessionEnd end) {
            if (over) {
                return;
            }
            over = true;
            setInTransaction(false);
            setOverTls(false);
            requireNonNull(ends.get(end.reason())).increment();
            if (end.reason().isError()) {
                requireNonNull(errors.get(end.source())).increment();
            }
        }

        private void setInTransaction(boolean now) {
            if (now != inTransactionNow) {
                inTransactionNow = now;
                inTransaction.add(now ? 1 : -1);
            }
        }

        private void setOverTls(boolean now) {
            if (now != overTlsNow) {
                overTlsNow = now;
                overTls.add(now ? 1 : -1);
            }
        }
    }
}

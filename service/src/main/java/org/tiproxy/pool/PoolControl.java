package org.tiproxy.pool;

import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** What an operator sees and does; the same for every kind of pool. Thread-safe; nothing here blocks. */
public interface PoolControl {
    /** The configuration in force. */
    PoolConfig config();

    /**
     * Changes the configuration. Connections above a lowered bound are closed: the idle ones at once, the others when they
     * come back. Time-outs apply to acquires that begin, and connections that are opened, from now on.
     *
     * @throws IllegalArgumentException with a sentence, if a value is out of its range
     */
    void reconfigure(UnaryOperator<PoolConfig> change);

    /** Numbers of this moment. */
    PoolStatistics statistics();

    /** How many connections there are, which costs much less than all the numbers. */
    Occupancy occupancy();

    /** Every connection. */
    List<ConnectionInfo> listConnections();

    /**
     * Closes the idle connections.
     *
     * @return how many
     */
    int evictIdle();

    /**
     * Replaces all connections: the idle ones are closed at once, the others when they come back, or when they are open.
     *
     * @return how many
     */
    int softEvict();

    /**
     * Closes the connections that match: the idle ones at once, the others when they come back.
     *
     * @param which must be quick and must not call the pool
     * @return how many
     */
    int evict(Predicate<ConnectionInfo> which);

    /**
     * Closes, of the idle connections that match, the one that has been idle for longest. Looks at all connections.
     *
     * @param which must be quick and must not call the pool
     * @return false if none matches
     */
    default boolean evictLongestIdle(Predicate<ConnectionInfo> which) {
        return listConnections().stream()
                .filter(one -> one.state() == EntryState.IDLE && which.test(one))
                .max(Comparator.comparing(ConnectionInfo::inState))
                .map(oldest -> evict(one -> one.id() == oldest.id()) > 0)
                .orElse(false);
    }

    /** Makes acquires wait, for as long as their time-out allows. Connections may still be released. */
    void suspend();

    /** Ends {@link #suspend}. */
    void resume();
}

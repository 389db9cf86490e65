package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;

/** A generator of SQL load. */
interface SqlLoad {
    /** What the generator is called in the report. */
    String label();

    /**
     * Opens the connections, has all of them work for the given time, and closes them. Only the work is measured.
     *
     * @throws IOException when a connection could not be opened or a statement has failed
     */
    Rate run(InetSocketAddress address, SqlWorkload workload, int connections, Duration duration) throws IOException;

    /**
     * What was measured.
     *
     * @param perSecond statements answered, those that begin and end transactions included
     * @param millisAt95 how long 95 of 100 transactions took at most; of a point select, the select itself
     */
    record Rate(double perSecond, double millisAt95) {}
}

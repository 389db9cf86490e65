package org.tiproxy.examples.bench;

import java.io.IOException;
import java.util.List;

/** One part of the benchmark: measures its targets in turns and adds its rows to the report. */
interface Section {
    List<String> NAMES = List.of(
            "requests",
            "bulk",
            "connect",
            "memory",
            "hold",
            "mysql-select",
            "mysql-read-only",
            "mysql-read-write",
            "mysql-large",
            "agent",
            "mysql-connect",
            "mysql-memory");

    /** The name by which {@code --only} chooses it. */
    String name();

    /**
     * Measures.
     *
     * @throws IOException when a target failed; rows already added stay
     */
    void run(Report report) throws IOException;
}

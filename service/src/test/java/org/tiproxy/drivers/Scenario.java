package org.tiproxy.drivers;

/** A piece of plain JDBC that writes down what it sees. */
interface Scenario {
    /** The schema that a scenario finds empty. */
    String SCHEMA = "work";

    /** Runs it; fails if something goes wrong that is not part of it. */
    void run(ScenarioRun run) throws Exception;
}

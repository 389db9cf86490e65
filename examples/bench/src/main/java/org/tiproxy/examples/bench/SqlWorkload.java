package org.tiproxy.examples.bench;

/** What the clients of a database do all the time: sysbench's scripts of the same names. */
enum SqlWorkload {
    /** One row by its key, and no transaction. */
    POINT_SELECT("oltp_point_select", "point selects"),
    /** A transaction of ten point selects and four ranges of 100 rows. */
    READ_ONLY("oltp_read_only", "read-only"),
    /** The same with two updates, a delete and an insert. */
    READ_WRITE("oltp_read_write", "read-write");

    final String script;
    final String label;

    SqlWorkload(String script, String label) {
        this.script = script;
        this.label = label;
    }
}

package org.tiproxy.management;

import java.util.List;

/** A bean of our domain with everything that the real ones have: attributes, a writable one, operations, rows. */
public interface SampleMXBean {
    /** One row of a listing. */
    record Row(long id, String client, boolean open) {}

    int getLimit();

    void setLimit(int limit);

    List<Row> getRows();

    String pause();

    String drain(int seconds);

    void fail();
}

package org.tiproxy.supervisor;

import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;

/** Logs how the backend is used: every 10 s, but only if something has changed. Not thread-safe. */
final class UsageLog {
    static final long INTERVAL = TimeUnit.SECONDS.toNanos(10);
    private static final Logger log = LoggerFactory.getLogger(UsageLog.class);

    private final HostPort address;
    private long nextAt;
    private String last;

    UsageLog(HostPort address, Instant start, long now) {
        this.address = address;
        this.last = line(SupervisorState.CLOSED, 0, 0, start);
        this.nextAt = now + INTERVAL;
    }

    long nextAt() {
        return nextAt;
    }

    /** Logs if it is time to and there is news. */
    void log(SupervisorState state, int active, int waiting, Instant lastChange, long now) {
        if (now - nextAt < 0) {
            return;
        }
        nextAt = now + INTERVAL;
        String line = line(state, active, waiting, lastChange);
        if (!line.equals(last)) {
            last = line;
            log.info("{}", line);
        }
    }

    private String line(SupervisorState state, int active, int waiting, Instant lastChange) {
        return "Backend " + address + ": " + state + ", " + active + " connection(s), " + waiting
                + " waiting, last change " + lastChange;
    }
}

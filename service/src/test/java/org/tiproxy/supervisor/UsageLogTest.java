package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;

class UsageLogTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final Logger logger = Logger.getLogger(UsageLog.class.getName());
    private final List<String> lines = new ArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord line) {
            lines.add(new SimpleFormatter().formatMessage(line));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };
    private final UsageLog usage = new UsageLog(new HostPort("127.0.0.1", 3306), START, 0);

    @BeforeEach
    void listen() {
        logger.addHandler(handler);
    }

    @AfterEach
    void stopListening() {
        logger.removeHandler(handler);
    }

    @Test
    void nothingIsSaidWhileNothingChanges() {
        for (long second = 0; second < 100; second++) {
            usage.log(SupervisorState.CLOSED, 0, 0, START, second * 1_000_000_000L);
        }
        assertThat(lines).isEmpty();
    }

    @Test
    void aChangeIsSaidOnceAtTheNextTenSeconds() {
        Instant change = START.plusSeconds(3);
        for (long second = 3; second < 30; second++) {
            usage.log(SupervisorState.OPENED, 2, 1, change, second * 1_000_000_000L);
        }
        assertThat(lines)
                .containsExactly("Backend 127.0.0.1:3306: OPENED, 2 connection(s), 1 waiting, last change " + change);

        usage.log(SupervisorState.CLOSED, 0, 0, START.plusSeconds(31), 40_000_000_000L);
        assertThat(lines).hasSize(2).last().asString().contains("CLOSED, 0 connection(s)");
    }
}

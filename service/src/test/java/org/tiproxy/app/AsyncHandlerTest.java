package org.tiproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class AsyncHandlerTest {
    private final List<String> written = new CopyOnWriteArrayList<>();
    private final CountDownLatch stuck = new CountDownLatch(1);

    private final Handler sink = new Handler() {
        @Override
        public void publish(LogRecord line) {
            try {
                stuck.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            written.add(getFormatter().format(line));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    private final Handler handler = new AsyncHandler(sink, new SimpleFormatter() {
        @Override
        public String format(LogRecord line) {
            return line.getMessage();
        }
    });

    @Test
    void whoeverLogsNeverWaitsForASinkThatIsStuckAndLearnsWhatWasDropped() {
        for (int i = 0; i < 20_000; i++) {
            handler.publish(new LogRecord(Level.INFO, "line " + i));
        }
        assertThat(written).isEmpty();

        stuck.countDown();
        await().until(() -> written.contains("line 0") && written.contains("line 5000"));
        await().untilAsserted(() -> assertThat(written).anyMatch(line -> line.contains("lines were dropped")));
    }

    @Test
    void closingWritesWhatIsLeft() {
        stuck.countDown();
        for (int i = 0; i < 100; i++) {
            handler.publish(new LogRecord(Level.INFO, "line " + i));
        }
        handler.close();
        assertThat(written).hasSize(100).endsWith("line 99");
    }
}

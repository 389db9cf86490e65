package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class OutputLogTest {
    private final List<String> logged = new CopyOnWriteArrayList<>();

    @Test
    void theLastLinesAreKept() {
        try (OutputLog log = new OutputLog(logged::add)) {
            for (int i = 1; i <= 300; i++) {
                log.add("line " + i);
            }
            assertThat(log.tail(OutputLog.TAIL_LINES))
                    .hasSize(200)
                    .startsWith("line 101")
                    .endsWith("line 300");
            assertThat(log.tail(2)).containsExactly("line 299", "line 300");
            await().until(() -> logged.size() == 300);
        }
    }

    @Test
    void aLogThatIsStuckStopsNobodyAndIsToldWhatItMissed() {
        CountDownLatch stuck = new CountDownLatch(1);
        String line = "x".repeat(8000);
        try (OutputLog log = new OutputLog(text -> {
            try {
                stuck.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            logged.add(text);
        })) {
            for (int i = 0; i < 5000; i++) {
                log.add(line);
            }
            assertThat(log.tail(300)).hasSize(200);
            stuck.countDown();
            await().until(() ->
                    !logged.isEmpty() && logged.get(logged.size() - 1).contains("lines dropped"));
        }
        assertThat(logged).hasSizeLessThan(1000);
    }
}

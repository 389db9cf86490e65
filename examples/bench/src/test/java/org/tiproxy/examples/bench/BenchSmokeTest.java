package org.tiproxy.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The machinery on a tiny scale and without any proxy: it says nothing about speed. */
class BenchSmokeTest {
    private static final Duration SLICE = Duration.ofMillis(50);

    private final Report report = new Report();
    private EchoServer server;
    private Thread loop;
    private List<Target> direct;

    @BeforeEach
    void startServer() throws IOException {
        server = new EchoServer(0);
        loop = new Thread(server, "echo");
        loop.setDaemon(true);
        loop.start();
        direct = List.of(new Target(Target.Kind.DIRECT, server.address()));
    }

    @AfterEach
    void stopServer() throws Exception {
        server.close();
        loop.join();
    }

    @Test
    void requestsAreCountedForEachNumberOfConnections() throws IOException {
        new RequestSection(direct, List.of(1, 16), SLICE, SLICE, 1).run(report);

        assertThat(report.toMarkdown().lines())
                .anyMatch(row -> row.matches("\\| 1 connection +\\| requests/s \\| +[1-9].*"))
                .anyMatch(row -> row.matches("\\| 16 connections +\\| requests/s \\| +[1-9].*not measured \\|"))
                .anyMatch(row -> row.matches("\\| 16 connections, p99 +\\| µs +\\| +[1-9].*"));
    }

    @Test
    void bytesMoveInBothDirections() throws IOException {
        assertThat(BulkTransfer.download(server.address(), SLICE)).isPositive();
        assertThat(BulkTransfer.upload(server.address(), SLICE)).isPositive();
    }

    @Test
    void visitsAreCounted() throws IOException {
        Slice slice = ConnectRate.run(server.address(), SLICE);

        assertThat(slice.completed()).isPositive();
        assertThat(slice.microsAt(99)).isPositive();
    }
}

package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.error.ProxyException;

/** What happens to the child when the proxy's JVM ends, gently or not. */
class TakeoverIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ProcessTable processes = new ProcessTable();
    private int port;
    private final List<Process> hosts = new ArrayList<>();
    private long child;

    @TempDir
    Path directory;

    @BeforeEach
    void choosePort() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }
    }

    @AfterEach
    void leaveNothingBehind() {
        hosts.forEach(Process::destroyForcibly);
        ProcessHandle.of(child).filter(handle -> child != 0).ifPresent(ProcessHandle::destroyForcibly);
    }

    /** Starts another JVM with a supervisor and its child. */
    private void startHost(String... behaviour) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                TestChild.JAVA,
                "-cp",
                System.getProperty("java.class.path"),
                SupervisorHost.class.getName(),
                directory.resolve("state").toString(),
                Integer.toString(port)));
        command.addAll(List.of(behaviour));
        Process host = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        hosts.add(host);
        String line =
                new BufferedReader(new InputStreamReader(host.getInputStream(), StandardCharsets.UTF_8)).readLine();
        assertThat(line).startsWith("child ");
        child = Long.parseLong(line.substring("child ".length()));
    }

    private void killHost() throws InterruptedException {
        hosts.get(0).destroyForcibly().waitFor();
    }

    private SupervisorConfigs config(String... behaviour) {
        return SupervisorConfigs.testChild(directory.resolve("state"), port, behaviour);
    }

    private boolean childRuns() {
        return ProcessHandle.of(child).filter(processes::runs).isPresent();
    }

    private String say(String line) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            new PrintStream(socket.getOutputStream(), true, StandardCharsets.UTF_8).println(line);
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
        }
    }

    @Test
    void aKilledProxysChildIsTakenOverAndItsOutputReadOn() throws Exception {
        startHost();
        killHost();
        // With a pipe this line would be the child's death.
        assertThat(say("print said while nobody listened")).isEqualTo(Long.toString(child));
        try (ProcessSupervisor supervisor =
                ProcessSupervisor.open(config().idle(SupervisorConfig.NEVER).build())) {
            RecordingVisitor visitor = new RecordingVisitor();
            supervisor.enter(visitor);
            visitor.awaitAdmitted();
            assertThat(supervisor.pid()).isEqualTo(child);
            assertThat(supervisor.startsTotal()).isZero();
            assertThat(supervisor.uptimeMillis()).isPositive();
            await().atMost(PATIENCE).until(() -> supervisor.outputTail().contains("said while nobody listened"));
            say("print said to the new one");
            await().atMost(PATIENCE).until(() -> supervisor.outputTail().contains("said to the new one"));

            ProcessHandle.of(child).orElseThrow().destroyForcibly();
            assertThat(visitor.awaitGone()).contains("exited with status unknown");
            RecordingVisitor next = new RecordingVisitor();
            supervisor.enter(next);
            next.awaitAdmitted();
            assertThat(supervisor.startsTotal()).isEqualTo(1);
        }
    }

    @Test
    void aTakenOverChildIsStoppedWhenNobodyComes() throws Exception {
        startHost("fork");
        killHost();
        try (ProcessSupervisor supervisor = ProcessSupervisor.open(
                config("fork").idle(Duration.ofMillis(10)).build())) {
            await().atMost(PATIENCE).until(supervisor::state, SupervisorState.CLOSED::equals);
            assertThat(childRuns()).isFalse();
        }
    }

    @Test
    void aFormerChildWithAnotherCommandIsStopped() throws Exception {
        startHost();
        killHost();
        try (ProcessSupervisor supervisor =
                ProcessSupervisor.open(config("other").build())) {
            RecordingVisitor visitor = new RecordingVisitor();
            supervisor.enter(visitor);
            visitor.awaitAdmitted();
            assertThat(childRuns()).isFalse();
            assertThat(supervisor.pid()).isNotEqualTo(child);
        }
    }

    @Test
    void whatAFormerChildLeftBehindIsKilled() throws Exception {
        startHost("fork");
        List<ProcessHandle> descendants =
                ProcessHandle.of(child).orElseThrow().descendants().toList();
        assertThat(descendants).hasSize(1);
        killHost();
        ProcessHandle.of(child).orElseThrow().destroyForcibly();
        await().atMost(PATIENCE).until(() -> !childRuns());
        try (ProcessSupervisor supervisor =
                ProcessSupervisor.open(config("fork").build())) {
            assertThat(supervisor.state()).isEqualTo(SupervisorState.CLOSED);
            await().atMost(PATIENCE).until(() -> !processes.runs(descendants.get(0)));
        }
    }

    @Test
    void theShutdownHookOfAnEndingProxyKillsTheChild() throws Exception {
        startHost("ignoreTerm", "fork");
        List<ProcessHandle> descendants =
                ProcessHandle.of(child).orElseThrow().descendants().toList();
        hosts.get(0).destroy();
        hosts.get(0).waitFor();
        assertThat(childRuns()).isFalse();
        assertThat(descendants).hasSize(1).noneMatch(processes::runs);
    }

    @Test
    void aSecondProxyIsToldThePidOfTheFirst() throws Exception {
        startHost();
        assertThatThrownBy(() -> ProcessSupervisor.open(config().build()))
                .isInstanceOf(ProxyException.class)
                .hasMessageContaining("pid " + hosts.get(0).pid());
    }
}

package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;

class ProcessSupervisorIT {
    private final ProcessTable processes = new ProcessTable();
    private final List<ProcessSupervisor> opened = new ArrayList<>();
    private int port;

    @TempDir
    Path directory;

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
        Awaitility.setDefaultPollInterval(Duration.ofMillis(5));
    }

    @BeforeEach
    void choosePort() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }
    }

    @AfterEach
    void leaveNothingBehind() {
        opened.forEach(ProcessSupervisor::killNow);
        opened.forEach(ProcessSupervisor::close);
    }

    private ProcessSupervisor open(SupervisorConfig config) throws ProxyException {
        ProcessSupervisor supervisor = ProcessSupervisor.open(config);
        opened.add(supervisor);
        return supervisor;
    }

    private SupervisorConfigs child(String... behaviour) {
        return SupervisorConfigs.testChild(directory.resolve("state"), port, behaviour);
    }

    private BackendGate.Ticket visit(ProcessSupervisor supervisor) throws Exception {
        RecordingVisitor visitor = new RecordingVisitor();
        BackendGate.Ticket ticket = supervisor.enter(visitor);
        visitor.awaitAdmitted();
        return ticket;
    }

    private String say(String line) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
        }
    }

    private boolean runs(long pid) {
        return ProcessHandle.of(pid).filter(processes::runs).isPresent();
    }

    private long descendant(ProcessSupervisor supervisor) {
        return await().until(
                        () -> supervisor.outputTail().stream()
                                .filter(line -> line.startsWith("descendant "))
                                .mapToLong(line -> Long.parseLong(line.substring("descendant ".length())))
                                .findFirst()
                                .orElse(0),
                        pid -> pid > 0);
    }

    private static void awaitState(ProcessSupervisor supervisor, SupervisorState state) {
        await().until(supervisor::state, state::equals);
    }

    @Test
    void theFirstVisitorStartsTheChildAndTheLastOneStopsIt() throws Exception {
        ProcessSupervisor supervisor = open(child().idle(Duration.ofMillis(50)).build());
        List<StateChange> changes = new CopyOnWriteArrayList<>();
        supervisor.addListener(changes::add);
        assertThat(supervisor.pid()).isZero();

        RecordingVisitor first = new RecordingVisitor();
        BackendGate.Ticket ticket = supervisor.enter(first);
        BackendGate.Ticket second = supervisor.enter(new RecordingVisitor());
        assertThat(supervisor.state()).isEqualTo(SupervisorState.STARTING);
        first.awaitAdmitted();
        assertThat(say("pid")).isEqualTo(Long.toString(supervisor.pid()));
        assertThat(supervisor.activeConnections()).isEqualTo(2);
        assertThat(supervisor.lastStartMillis()).isPositive();
        long pid = supervisor.pid();

        ticket.close();
        ticket.close();
        assertThat(supervisor.activeConnections()).isEqualTo(1);
        second.close();
        awaitState(supervisor, SupervisorState.CLOSED);
        assertThat(runs(pid)).isFalse();
        assertThat(supervisor.pid()).isZero();
        assertThat(supervisor.lastExitStatus()).isEqualTo("143 (SIGTERM)");
        assertThat(first.goneCalls).hasValue(0);
        await().until(() -> changes.size() == 4);
        assertThat(changes)
                .extracting(StateChange::to)
                .containsExactly(
                        SupervisorState.STARTING,
                        SupervisorState.OPENED,
                        SupervisorState.SHUTDOWN,
                        SupervisorState.CLOSED);
    }

    @Test
    void aVisitorDuringShutdownGetsTheNextChild() throws Exception {
        ProcessSupervisor supervisor =
                open(child("ignoreTerm").idle(Duration.ZERO).build());
        visit(supervisor).close();
        assertThat(supervisor.state()).isEqualTo(SupervisorState.SHUTDOWN);
        long first = supervisor.pid();
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        supervisor.setGracePeriod(Duration.ZERO);
        visitor.awaitAdmitted();
        assertThat(supervisor.pid()).isNotEqualTo(first);
        assertThat(runs(first)).isFalse();
    }

    @Test
    void theDeathOfTheChildIsNoticedAndTheNextVisitorStartsANewOne() throws Exception {
        ProcessSupervisor supervisor = open(child("fork").build());
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        visitor.awaitAdmitted();
        long descendant = descendant(supervisor);
        ProcessHandle.of(supervisor.pid()).orElseThrow().destroyForcibly();
        assertThat(visitor.awaitGone()).contains("exited with status 137 (SIGKILL) after ");
        assertThat(supervisor.state()).isEqualTo(SupervisorState.CLOSED);
        assertThat(supervisor.unexpectedExitsTotal()).isEqualTo(1);
        assertThat(supervisor.activeConnections()).isZero();

        RecordingVisitor next = new RecordingVisitor();
        supervisor.enter(next);
        next.awaitAdmitted();
        assertThat(runs(descendant)).as("what the dead child left behind").isFalse();
        assertThat(supervisor.startsTotal()).isEqualTo(2);
    }

    @Test
    void aChildThatIgnoresSigtermIsKilledAfterTheGracePeriodWithItsDescendants() throws Exception {
        ProcessSupervisor supervisor =
                open(child("ignoreTerm", "fork").idle(Duration.ZERO).build());
        BackendGate.Ticket ticket = visit(supervisor);
        long descendant = descendant(supervisor);
        long pid = supervisor.pid();
        ticket.close();
        assertThat(supervisor.state()).isEqualTo(SupervisorState.SHUTDOWN);
        await().until(() -> !runs(descendant));
        assertThat(runs(pid)).isTrue();
        assertThat(supervisor.state()).isEqualTo(SupervisorState.SHUTDOWN);
        supervisor.setGracePeriod(Duration.ofMillis(1));
        awaitState(supervisor, SupervisorState.CLOSED);
        assertThat(runs(pid)).isFalse();
        assertThat(supervisor.lastExitStatus()).isEqualTo("137 (SIGKILL)");
    }

    @Test
    void shutdownLastsUntilTheLastDescendantHasGone() throws Exception {
        // The shell ends at once when it is told to; its descendant does not, and has lost its parent by then.
        Path script = directory.resolve("script");
        Files.writeString(
                script,
                "(trap '' TERM; echo descendant $(exec sh -c 'echo $PPID'); while :; do sleep 0.05; done) &\nexec \"$@\"\n");
        List<String> args = new ArrayList<>(List.of(script.toString(), TestChild.JAVA));
        args.addAll(TestChild.jvmArguments());
        args.add("port=" + port);
        ProcessSupervisor supervisor =
                open(child().command("sh", args).idle(Duration.ZERO).build());
        BackendGate.Ticket ticket = visit(supervisor);
        long descendant = descendant(supervisor);
        long pid = supervisor.pid();
        ticket.close();
        await().until(() -> !runs(pid));
        await().until(() -> !supervisor.lastExitStatus().isEmpty());
        assertThat(supervisor.state()).isEqualTo(SupervisorState.SHUTDOWN);
        assertThat(runs(descendant)).isTrue();
        supervisor.setGracePeriod(Duration.ZERO);
        awaitState(supervisor, SupervisorState.CLOSED);
        assertThat(runs(descendant)).isFalse();
    }

    @Test
    void aChildThatIsNotReadyInTimeIsKilledAndTheNumbersAreSaid() throws Exception {
        ProcessSupervisor supervisor =
                open(child("hang").start(Duration.ofSeconds(2)).build());
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        ProxyException cause = visitor.awaitRefused();
        assertThat(cause.error()).isEqualTo(ProxyError.BACKEND_START_FAILED);
        assertThat(cause)
                .hasMessageContaining("start timeout 2.0 s")
                .hasMessageContaining("probes of 127.0.0.1:" + port)
                .hasMessageContaining("Connection refused");
        awaitState(supervisor, SupervisorState.CLOSED);
        assertThat(supervisor.pid()).isZero();
        assertThat(supervisor.startFailuresTotal()).isEqualTo(1);
    }

    @Test
    void aChildThatExitsAtOnceRefusesAllWithStatusAndLastOutputAndThenBacksOff() throws Exception {
        ProcessSupervisor supervisor =
                open(child("spam=50", "print=the disk is full", "exit=3").build());
        List<RecordingVisitor> visitors = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            visitors.add(new RecordingVisitor());
            supervisor.enter(visitors.get(i));
        }
        for (RecordingVisitor visitor : visitors) {
            ProxyException cause = visitor.awaitRefused();
            assertThat(cause.error()).isEqualTo(ProxyError.BACKEND_START_FAILED);
            assertThat(cause).hasMessageContaining("status 3").hasMessageContaining("spam 50 / the disk is full");
            assertThat(cause.getMessage()).doesNotContain("spam 46");
        }
        assertThat(supervisor.outputTail()).hasSize(51).endsWith("the disk is full");
        assertThat(supervisor.waitingConnections()).isZero();

        RecordingVisitor late = new RecordingVisitor();
        supervisor.enter(late);
        assertThat(late.answer).as("answered before enter returned").isDone();
        assertThat(late.awaitRefused().error()).isEqualTo(ProxyError.BACKEND_START_BACKOFF);
        assertThat(supervisor.start().get(60, TimeUnit.SECONDS))
                .contains("failed: ")
                .contains("status 3");
        assertThat(supervisor.startFailuresTotal()).isEqualTo(2);
    }

    @Test
    void aProgramThatDoesNotExistIsNamed() throws Exception {
        ProcessSupervisor supervisor =
                open(child().command("no-such-program", List.of()).build());
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        assertThat(visitor.awaitRefused()).hasMessageContaining("no executable no-such-program");
    }

    @Test
    void whereSomethingElseAnswersNothingIsSpawned() throws Exception {
        ProcessSupervisor supervisor = open(child().build());
        try (ServerSocket other = new ServerSocket(port, 10, InetAddress.getLoopbackAddress())) {
            RecordingVisitor visitor = new RecordingVisitor();
            supervisor.enter(visitor);
            ProxyException cause = visitor.awaitRefused();
            assertThat(cause.error()).isEqualTo(ProxyError.BACKEND_ADDRESS_TAKEN);
            assertThat(cause).hasMessageContaining("already answers at 127.0.0.1:" + port);
            assertThat(supervisor.pid()).isZero();
            assertThat(other.isClosed()).isFalse();
        }
        visit(supervisor).close();
    }

    @Test
    void argumentsArriveVerbatim() throws Exception {
        String[] odd = {
            "a b",
            "",
            "it's",
            "\"quoted\"",
            "line\nbreak\n",
            "$HOME `id` \\ *",
            "gr\u00fc\u00df \u65e5\u672c",
            "-n",
            "%s"
        };
        ProcessSupervisor supervisor = open(child(odd).build());
        visit(supervisor);
        byte[] cmdline = Files.readAllBytes(Path.of("/proc/" + supervisor.pid() + "/cmdline"));
        List<String> words = List.of(new String(cmdline, StandardCharsets.UTF_8).split("\0", -1));
        assertThat(words).startsWith(TestChild.JAVA).endsWith("");
        assertThat(words.subList(words.size() - 1 - odd.length, words.size() - 1))
                .containsExactly(odd);
    }

    @Test
    void theChildHasASessionOfItsOwn() throws Exception {
        ProcessSupervisor supervisor = open(child().build());
        visit(supervisor);
        assertThat(processes.find(supervisor.pid()).orElseThrow().session()).isEqualTo(supervisor.pid());
    }

    @Test
    void aTalkativeChildIsNotBlocked() throws Exception {
        ProcessSupervisor supervisor = open(child("spam=100000").build());
        visit(supervisor);
        await().untilAsserted(
                        () -> assertThat(supervisor.outputTail()).hasSize(200).endsWith("spam 100000"));
        say("print gr\u00fc\u00df");
        await().untilAsserted(() -> assertThat(supervisor.outputTail()).endsWith("gr\u00fc\u00df"));
    }

    @Test
    void aSecondSupervisorOfTheSameAddressIsRefused() throws Exception {
        SupervisorConfig config = child().build();
        open(config);
        assertThatThrownBy(() -> open(config))
                .isInstanceOf(ProxyException.class)
                .hasMessageContaining("another proxy (this process)")
                .hasMessageContaining("127.0.0.1:" + port);
    }

    @Test
    void operatorsStartStopRestartAndKill() throws Exception {
        ProcessSupervisor supervisor = open(child().idle(Duration.ZERO).build());
        assertThat(supervisor.stop().get(60, TimeUnit.SECONDS)).isEqualTo("not running");
        assertThat(supervisor.start().get(60, TimeUnit.SECONDS)).startsWith("running, ready after ");
        assertThat(supervisor.state()).isEqualTo(SupervisorState.OPENED);
        assertThat(supervisor.start().get(60, TimeUnit.SECONDS)).startsWith("already running");
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        long pid = supervisor.pid();
        assertThat(supervisor.restart().get(60, TimeUnit.SECONDS)).startsWith("running, ready after ");
        assertThat(visitor.awaitGone()).isEqualTo("the backend is restarted by an operator");
        assertThat(runs(pid)).isFalse();
        RecordingVisitor other = new RecordingVisitor();
        supervisor.enter(other);
        assertThat(supervisor.stop().get(60, TimeUnit.SECONDS)).startsWith("stopped after ");
        assertThat(other.awaitGone()).isEqualTo("stopped by operator");
        assertThat(supervisor.state()).isEqualTo(SupervisorState.CLOSED);
        assertThat(supervisor.start().get(60, TimeUnit.SECONDS)).startsWith("running");
        assertThat(supervisor.kill().get(60, TimeUnit.SECONDS)).contains("137 (SIGKILL)");
    }

    @Test
    void aHeldChildStaysAndIsStartedAgainWhenItDies() throws Exception {
        ProcessSupervisor supervisor = open(child().idle(Duration.ZERO).build());
        assertThat(supervisor.hold(true).get(60, TimeUnit.SECONDS)).startsWith("running");
        visit(supervisor).close();
        assertThat(supervisor.state()).isEqualTo(SupervisorState.OPENED);
        long pid = supervisor.pid();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        await().until(() -> supervisor.startsTotal() == 2 && supervisor.state() == SupervisorState.OPENED);
        assertThat(supervisor.pid()).isNotEqualTo(pid);
        assertThat(supervisor.hold(false).get(60, TimeUnit.SECONDS)).isEqualTo("no longer held");
        awaitState(supervisor, SupervisorState.CLOSED);
    }

    @Test
    void closeEndsTheChildAndRefusesEverybody() throws Exception {
        ProcessSupervisor supervisor = open(child("fork").build());
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        visitor.awaitAdmitted();
        long pid = supervisor.pid();
        long descendant = descendant(supervisor);
        supervisor.close();
        assertThat(runs(pid)).isFalse();
        assertThat(runs(descendant)).isFalse();
        assertThat(visitor.awaitGone()).isEqualTo("the proxy is stopping");
        RecordingVisitor late = new RecordingVisitor();
        supervisor.enter(late);
        assertThat(late.awaitRefused().error()).isEqualTo(ProxyError.SHUTTING_DOWN);
        assertThat(supervisor.start().get(60, TimeUnit.SECONDS)).startsWith("nothing done");
        assertThat(directory.resolve("state")).isDirectoryNotContaining("glob:**.{out,properties}");
        supervisor.killNow();
        supervisor.close();
    }

    @Test
    void closeWithoutGraceKillsAChildThatIgnoresSigterm() throws Exception {
        ProcessSupervisor supervisor = open(child("ignoreTerm").build());
        visit(supervisor);
        long pid = supervisor.pid();
        supervisor.close(Duration.ZERO);
        assertThat(runs(pid)).isFalse();
    }

    @Test
    void killNowLeavesNothingWhateverTheMoment() throws Exception {
        for (int i = 0; i < 20; i++) {
            ProcessSupervisor supervisor = open(child("ignoreTerm", "fork").build());
            RecordingVisitor visitor = new RecordingVisitor();
            supervisor.enter(visitor);
            int moment = i;
            // From before the spawn to long after it.
            await().until(() -> supervisor.state() == SupervisorState.OPENED
                    || supervisor.uptimeMillis() >= moment * 10L
                    || moment == 0);
            long pid = supervisor.pid();
            supervisor.killNow();
            assertThat(pid == 0 || !runs(pid)).isTrue();
            supervisor.close();
            assertThat(supervisor.pid()).isZero();
            assertThat(visitor.answer).isDone();
            assertThat(ProcessHandle.current().descendants().filter(processes::runs))
                    .isEmpty();
        }
    }

    @Test
    void theStateDirectoryIsForOurUserOnly() throws Exception {
        ProcessSupervisor supervisor = open(child().build());
        visit(supervisor);
        assertThat(Files.getPosixFilePermissions(directory.resolve("state")).toString())
                .doesNotContain("GROUP", "OTHERS");
        for (String suffix : List.of(".out", ".properties")) {
            Path file = directory.resolve("state/127.0.0.1_" + port + suffix);
            assertThat(Files.getPosixFilePermissions(file).toString()).doesNotContain("GROUP", "OTHERS");
        }
    }

    @Test
    void impossibleValuesAreRejected() throws Exception {
        ProcessSupervisor supervisor = open(child().build());
        assertThatThrownBy(() -> supervisor.setIdleTimeout(Duration.ofSeconds(-1)))
                .hasMessageContaining("idle timeout cannot be negative");
        assertThatThrownBy(() -> supervisor.setStartTimeout(Duration.ZERO))
                .hasMessageContaining("start timeout must be longer than zero");
        supervisor.setIdleTimeout(SupervisorConfig.NEVER);
        assertThat(supervisor.idleTimeout()).isEqualTo(SupervisorConfig.NEVER);
    }
}

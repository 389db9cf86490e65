package org.tiproxy.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.error.ProxyException;

/** Many visitors come and go while the child is stopped as soon as nobody is there, killed, and restarted. */
class StartStopStormIT {
    private static final int THREADS = 16;
    private static final int VISITS = 25;

    private final ProcessTable processes = new ProcessTable();

    @TempDir
    Path directory;

    @Test
    void thereIsNeverASecondChildNorAnOrphanAndEveryVisitorIsAnswered() throws Exception {
        int port = freePort();
        SupervisorConfig config = SupervisorConfigs.testChild(directory.resolve("state"), port)
                .idle(Duration.ZERO)
                .minBackoff(Duration.ofMillis(1))
                .build();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger served = new AtomicInteger();
        List<RecordingVisitor> visitors = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS + 2);
        ProcessSupervisor supervisor = ProcessSupervisor.open(config);
        try {
            Future<?> census = threads.submit(() -> {
                while (!over.get()) {
                    most.accumulateAndGet(children(), Math::max);
                    LockSupport.parkNanos(1_000_000);
                }
            });
            Future<?> murderer = threads.submit(() -> {
                Random random = new Random(1);
                while (!over.get()) {
                    LockSupport.parkNanos(random.nextInt(1_000) * 1_000_000L);
                    if (random.nextInt(3) == 0) {
                        ProcessHandle.of(Math.max(1, supervisor.pid()))
                                .filter(handle -> handle.pid() != 1)
                                .ifPresent(ProcessHandle::destroyForcibly);
                    }
                }
            });
            // All leave before the first one comes again: the child is told to stop in every round.
            CyclicBarrier round = new CyclicBarrier(THREADS);
            List<Future<?>> crowd = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                crowd.add(threads.submit(() -> {
                    for (int visit = 0; visit < VISITS; visit++) {
                        RecordingVisitor visitor = new RecordingVisitor();
                        synchronized (visitors) {
                            visitors.add(visitor);
                        }
                        round.await(120, TimeUnit.SECONDS);
                        comeAndGo(supervisor, visitor, port, served);
                    }
                    return null;
                }));
            }
            for (Future<?> one : crowd) {
                one.get(300, TimeUnit.SECONDS);
            }
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> supervisor.activeConnections() + supervisor.waitingConnections() == 0);
            over.set(true);
            census.get(60, TimeUnit.SECONDS);
            murderer.get(60, TimeUnit.SECONDS);
        } finally {
            over.set(true);
            supervisor.close();
            threads.shutdownNow();
        }
        assertThat(most).as("children at once").hasValue(1);
        assertThat(children()).as("orphans").isZero();
        assertThat(served).as("visitors that talked to a child").hasPositiveValue();
        assertThat(supervisor.startsTotal()).as("starts").isGreaterThan(VISITS / 2);
        assertThat(visitors).hasSize(THREADS * VISITS).allSatisfy(visitor -> {
            assertThat(visitor.answers).hasValueLessThanOrEqualTo(1);
            assertThat(visitor.goneCalls).hasValueLessThanOrEqualTo(1);
            assertThat(visitor.goneBeforeAdmitted).isFalse();
        });
    }

    private static void comeAndGo(
            ProcessSupervisor supervisor, RecordingVisitor visitor, int port, AtomicInteger served) throws Exception {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        LockSupport.parkNanos(random.nextInt(30) * 1_000_000L);
        BackendGate.Ticket ticket = supervisor.enter(visitor);
        try (ticket) {
            if (random.nextInt(10) == 0) {
                // Leaves without waiting for the answer.
                return;
            }
            ProxyException refusal = visitor.answer.get(120, TimeUnit.SECONDS);
            if (refusal != null) {
                assertThat(refusal.getMessage()).isNotEmpty();
                return;
            }
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write('\n');
                if (socket.getInputStream().read() >= 0) {
                    served.incrementAndGet();
                }
            } catch (IOException e) {
                // Only the murder of the child can have done this.
                visitor.awaitGone();
            }
        }
    }

    /** Children, not counting processes that are about to become one (a shell, setsid) or to run mkfifo. */
    private int children() {
        return (int) ProcessHandle.current()
                .descendants()
                .filter(processes::runs)
                .filter(handle ->
                        handle.info().command().filter(TestChild.JAVA::equals).isPresent())
                .count();
    }

    private static int freePort() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return server.getLocalPort();
        }
    }
}

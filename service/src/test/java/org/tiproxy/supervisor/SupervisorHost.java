package org.tiproxy.supervisor;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A JVM with a supervisor in it, to be killed by a test: {@code <state directory> <port> <behaviour…>}. */
final class SupervisorHost {
    private SupervisorHost() {}

    public static void main(String[] args) throws Exception {
        String[] behaviour = new String[args.length - 2];
        System.arraycopy(args, 2, behaviour, 0, behaviour.length);
        ProcessSupervisor supervisor = ProcessSupervisor.open(
                SupervisorConfigs.testChild(Path.of(args[0]), Integer.parseInt(args[1]), behaviour)
                        .build());
        Runtime.getRuntime().addShutdownHook(new Thread(supervisor::killNow));
        RecordingVisitor visitor = new RecordingVisitor();
        supervisor.enter(visitor);
        visitor.awaitAdmitted();
        System.out.println("child " + supervisor.pid());
        new CountDownLatch(1).await();
    }
}

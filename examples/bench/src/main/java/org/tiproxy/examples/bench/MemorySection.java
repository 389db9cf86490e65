package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an idle connection costs in memory. Uses proxies of its own, because one that was under load before has memory to
 * spare and would hide the growth.
 */
final class MemorySection implements Section {
    private static final int WARM_UP_VISITS = 500;
    /** File descriptors that a proxy needs beside its connections. */
    private static final int RESERVED_FILES = 500;

    private final String name;
    private final String label;
    private final double goalKilobytes;
    private final Subject subject;
    private final int wanted;

    /**
     * A section for connections of one kind.
     *
     * @param label what is counted, in the plural
     * @param goalKilobytes of heap for each
     * @param wanted how many, if the limit of open files allows it
     */
    MemorySection(String name, String label, double goalKilobytes, Subject subject, int wanted) {
        this.name = name;
        this.label = label;
        this.goalKilobytes = goalKilobytes;
        this.subject = subject;
        this.wanted = wanted;
    }

    /** The proxies and the connections that are measured. */
    interface Subject {
        Optional<Programs.Program> startHaproxy() throws IOException;

        Optional<Programs.Program> startTiproxy() throws IOException;

        /** Connect, one request, its answer, close. */
        void visit(InetSocketAddress address) throws IOException;

        /** A connection that has had one request answered. */
        AutoCloseable open(InetSocketAddress address) throws IOException;

        void stop(Programs.Program program);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void run(Report report) throws IOException {
        int connections = (int) Math.min(wanted, (FileLimit.hard() - RESERVED_FILES) / 2);
        if (connections < wanted) {
            report.note("Only %,d %s instead of %,d: \"ulimit -Hn\" is %,d, and a proxy needs two files each."
                    .formatted(connections, label, wanted, FileLimit.hard()));
        }
        Samples residentPerConnection = new Samples();
        Samples residentInAll = new Samples();
        Samples heap = new Samples();
        Optional<Programs.Program> haproxy = subject.startHaproxy();
        if (haproxy.isPresent()) {
            measure(Target.Kind.HAPROXY, haproxy.get(), connections, residentPerConnection, residentInAll);
            subject.stop(haproxy.get());
        }
        Optional<Programs.Program> tiproxy = subject.startTiproxy();
        if (tiproxy.isPresent()) {
            heap.add(
                    Target.Kind.TIPROXY,
                    measure(Target.Kind.TIPROXY, tiproxy.get(), connections, residentPerConnection, residentInAll));
            subject.stop(tiproxy.get());
        }
        String count = "%,d %s".formatted(connections, label);
        report.row(count + ", heap each", "KB", heap, Goal.atMost(goalKilobytes, "KB"));
        report.row(count + ", resident each", "KB", residentPerConnection);
        report.row(count + ", resident in all", "MB", residentInAll);
    }

    /** Adds the resident memory and returns the growth of a Java process's heap, in KB for each connection. */
    private double measure(
            Target.Kind kind, Programs.Program program, int connections, Samples perConnection, Samples inAll)
            throws IOException {
        for (int i = 0; i < WARM_UP_VISITS; i++) {
            subject.visit(program.address());
        }
        boolean java = kind == Target.Kind.TIPROXY;
        long heapBefore = java ? ProcessMemory.liveHeap(program.process()) : 0;
        long residentBefore = ProcessMemory.resident(program.process());
        List<AutoCloseable> idle = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                idle.add(subject.open(program.address()));
            }
            long heapAfter = java ? ProcessMemory.liveHeap(program.process()) : 0;
            long residentAfter = ProcessMemory.resident(program.process());
            perConnection.add(kind, (residentAfter - residentBefore) / 1024.0 / connections);
            inAll.add(kind, residentAfter / 1024.0 / 1024.0);
            return (heapAfter - heapBefore) / 1024.0 / connections;
        } finally {
            for (AutoCloseable connection : idle) {
                close(connection);
            }
        }
    }

    private static void close(AutoCloseable connection) throws IOException {
        try {
            connection.close();
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("an idle connection could not be closed: " + e.getMessage(), e);
        }
    }
}

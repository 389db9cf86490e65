package org.tiproxy.examples.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * What an idle connection costs in memory. Uses proxies of its own, because one that was under load before has memory to
 * spare and would hide the growth.
 */
final class MemorySection implements Section {
    private static final double GOAL_HEAP_KILOBYTES = 10;
    private static final int WARM_UP_VISITS = 500;
    /** File descriptors that a proxy needs beside its connections. */
    private static final int RESERVED_FILES = 500;

    private final Programs programs;
    private final InetSocketAddress echo;
    private final int wanted;

    MemorySection(Programs programs, InetSocketAddress echo, int wanted) {
        this.programs = programs;
        this.echo = echo;
        this.wanted = wanted;
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public void run(Report report) throws IOException {
        int connections = (int) Math.min(wanted, (FileLimit.hard() - RESERVED_FILES) / 2);
        if (connections < wanted) {
            report.note(
                    "Only %,d idle connections instead of %,d: \"ulimit -Hn\" is %,d, and a proxy needs two files each."
                            .formatted(connections, wanted, FileLimit.hard()));
        }
        Samples residentPerConnection = new Samples();
        Samples residentInAll = new Samples();
        Samples heap = new Samples();
        var haproxy = programs.haproxy();
        if (haproxy.isPresent()) {
            Programs.Program program = programs.startHaproxy(haproxy.get(), echo);
            measure(Target.Kind.HAPROXY, program, connections, residentPerConnection, residentInAll);
            programs.stop(program);
        }
        if (programs.hasTiproxy()) {
            Programs.Program program = programs.startTiproxy(echo);
            heap.add(
                    Target.Kind.TIPROXY,
                    measure(Target.Kind.TIPROXY, program, connections, residentPerConnection, residentInAll));
            programs.stop(program);
        }
        String label = "%,d idle connections".formatted(connections);
        report.row(label + ", heap each", "KB", heap, Goal.atMost(GOAL_HEAP_KILOBYTES, "KB"));
        report.row(label + ", resident each", "KB", residentPerConnection);
        report.row(label + ", resident in all", "MB", residentInAll);
    }

    /** Adds the resident memory and returns the growth of a Java process's heap, in KB for each connection. */
    private double measure(
            Target.Kind kind, Programs.Program program, int connections, Samples perConnection, Samples inAll)
            throws IOException {
        for (int i = 0; i < WARM_UP_VISITS; i++) {
            Connections.visit(program.address());
        }
        boolean java = kind == Target.Kind.TIPROXY;
        long heapBefore = java ? ProcessMemory.liveHeap(program.process()) : 0;
        long residentBefore = ProcessMemory.resident(program.process());
        List<SocketChannel> idle = new ArrayList<>();
        try {
            for (int i = 0; i < connections; i++) {
                SocketChannel channel = SocketChannel.open();
                idle.add(channel);
                Connections.connect(channel, program.address());
                Connections.exchange(channel);
            }
            long heapAfter = java ? ProcessMemory.liveHeap(program.process()) : 0;
            long residentAfter = ProcessMemory.resident(program.process());
            perConnection.add(kind, (residentAfter - residentBefore) / 1024.0 / connections);
            inAll.add(kind, residentAfter / 1024.0 / 1024.0);
            return (heapAfter - heapBefore) / 1024.0 / connections;
        } finally {
            for (SocketChannel channel : idle) {
                channel.close();
            }
        }
    }
}

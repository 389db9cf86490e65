package org.tiproxy.supervisor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What {@code /proc} of Linux knows and {@link ProcessHandle} does not tell: sessions, zombies, and start times that no
 * clock adjustment moves. Elsewhere everything is empty.
 */
final class ProcessTable {
    private final Path proc;

    ProcessTable() {
        this(Path.of("/proc"));
    }

    /** A table read from another place, for tests. */
    ProcessTable(Path proc) {
        this.proc = proc;
    }

    /**
     * One line of {@code /proc/<pid>/stat}.
     *
     * @param state the letter: R, S, D, Z (zombie), …
     * @param session the session's id, which is the pid of the process that opened it
     * @param threads how many threads have not ended; state is that of the first one only
     * @param startTicks clock ticks between boot and the start of the process
     */
    record Entry(long pid, char state, long session, int threads, long startTicks) {
        /**
         * False for a process that has ended and only waits for its parent to take notice. While a killed process ends
         * thread by thread, its first thread may be a zombie and the others still hold its sockets.
         */
        boolean running() {
            return (state != 'Z' && state != 'X') || threads > 1;
        }
    }

    /** The process {@code pid}, if there is one. */
    Optional<Entry> find(long pid) {
        byte[] bytes = new byte[1024];
        int length;
        try (InputStream in =
                Files.newInputStream(proc.resolve(Long.toString(pid)).resolve("stat"))) {
            length = in.readNBytes(bytes, 0, bytes.length);
        } catch (IOException e) {
            return Optional.empty();
        }
        String line = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        // "pid (name) state ppid pgrp session …": the name may hold spaces and parentheses, the rest may not.
        int end = line.lastIndexOf(')');
        String[] fields =
                end < 0 ? new String[0] : line.substring(end + 1).trim().split(" ");
        if (fields.length < 20) {
            return Optional.empty();
        }
        return Optional.of(new Entry(
                pid,
                fields[0].charAt(0),
                Long.parseLong(fields[3]),
                Integer.parseInt(fields[17]),
                Long.parseLong(fields[19])));
    }

    /** When {@code pid} started, in ticks since boot. */
    OptionalLong startTicks(long pid) {
        return find(pid).map(Entry::startTicks).map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }

    /** True if {@code handle} runs; a zombie does not. */
    boolean runs(ProcessHandle handle) {
        return handle.isAlive() && find(handle.pid()).map(Entry::running).orElse(true);
    }

    /** The running processes of a session, in no particular order. */
    List<Entry> session(long session) {
        List<Entry> members = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, ProcessTable::isPid)) {
            for (Path process : processes) {
                find(Long.parseLong(process.getFileName().toString()))
                        .filter(entry -> entry.session() == session && entry.running())
                        .ifPresent(members::add);
            }
        } catch (IOException e) {
            return List.of();
        }
        return members;
    }

    /**
     * Names the running kernel and pid namespace: pids and ticks of one mean nothing in another. Empty where unknown.
     */
    String bootIdentity() {
        try {
            String boot =
                    Files.readString(proc.resolve("sys/kernel/random/boot_id")).trim();
            return boot + " " + Files.readSymbolicLink(proc.resolve("self/ns/pid"));
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    private static boolean isPid(Path path) {
        return path.getFileName().toString().chars().allMatch(c -> c >= '0' && c <= '9');
    }
}

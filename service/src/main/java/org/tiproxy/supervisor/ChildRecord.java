package org.tiproxy.supervisor;

import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;

/**
 * What the next proxy must know to recognise a child of this one.
 *
 * @param pid the child's pid
 * @param startTicks its start in ticks since boot, or -1 where the system does not tell
 * @param start its start as a clock time, for people and for systems without ticks
 * @param boot the kernel and pid namespace in which pid and ticks have a meaning
 * @param fingerprint equal for equal commands
 * @param command the command, for people
 * @param output where its output goes, for people
 */
record ChildRecord(
        long pid, long startTicks, String start, String boot, String fingerprint, String command, String output) {

    static ChildRecord of(ProcessHandle leader, ProcessTable processes, ChildCommand command, String output) {
        return new ChildRecord(
                leader.pid(),
                processes.startTicks(leader.pid()).orElse(-1),
                startOf(leader),
                processes.bootIdentity(),
                command.fingerprint(),
                command.toString(),
                output);
    }

    /** The recorded process, if it is the one that runs under this pid now. */
    Optional<ProcessHandle> running(ProcessTable processes) {
        if (!boot.equals(processes.bootIdentity())) {
            return Optional.empty();
        }
        return ProcessHandle.of(pid).filter(processes::runs).filter(handle -> {
            OptionalLong ticks = processes.startTicks(pid);
            // The clock time is computed from the time of boot, which moves when the clock is adjusted.
            return ticks.isPresent()
                    ? ticks.getAsLong() == startTicks
                    : startOf(handle).equals(start);
        });
    }

    /** Reads a record; empty if there is none, or none that can be understood. */
    static Optional<ChildRecord> read(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
            return Optional.of(new ChildRecord(
                    Long.parseLong(properties.getProperty("pid", "")),
                    Long.parseLong(properties.getProperty("startTicks", "")),
                    properties.getProperty("start", ""),
                    properties.getProperty("boot", ""),
                    properties.getProperty("fingerprint", ""),
                    properties.getProperty("command", ""),
                    properties.getProperty("output", "")));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            // Not ours, or damaged; the next child overwrites it.
            return Optional.empty();
        }
    }

    /** The text that {@link #read} understands. */
    String text() throws IOException {
        Properties properties = new Properties();
        properties.setProperty("pid", Long.toString(pid));
        properties.setProperty("startTicks", Long.toString(startTicks));
        properties.setProperty("start", start);
        properties.setProperty("boot", boot);
        properties.setProperty("fingerprint", fingerprint);
        properties.setProperty("command", command);
        properties.setProperty("output", output);
        StringWriter text = new StringWriter();
        properties.store(text, "The backend process that tiproxy has started here");
        return text.toString();
    }

    private static String startOf(ProcessHandle handle) {
        return handle.info().startInstant().map(Object::toString).orElse("");
    }
}

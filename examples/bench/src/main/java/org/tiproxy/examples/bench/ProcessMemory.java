package org.tiproxy.examples.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Memory of another process, in bytes. */
final class ProcessMemory {
    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    private static final Pattern TOTAL = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");

    private ProcessMemory() {}

    static long resident(Process process) throws IOException {
        return parseResident(Files.readString(Path.of("/proc", Long.toString(process.pid()), "status")));
    }

    /** Bytes of all objects that are still in use on a Java process's heap; collects its garbage first. */
    static long liveHeap(Process process) throws IOException {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        Process run = new ProcessBuilder(List.of(jcmd.toString(), Long.toString(process.pid()), "GC.class_histogram"))
                .redirectErrorStream(true)
                .start();
        String histogram = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return parseLiveHeap(histogram);
    }

    static long parseResident(String status) throws IOException {
        return number(RESIDENT, status);
    }

    static long parseLiveHeap(String histogram) throws IOException {
        return number(TOTAL, histogram);
    }

    private static long number(Pattern pattern, String text) throws IOException {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IOException("no line like \"%s\" in: %s".formatted(pattern, text));
        }
        long value = Long.parseLong(matcher.group(1));
        return pattern == RESIDENT ? value * 1024 : value;
    }
}

package org.tiproxy.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How many files a process may have open; a proxy needs two for each connection. */
final class FileLimit {
    private static final long UNKNOWN = 10_000;

    private FileLimit() {}

    /** The hard limit, to which the JVM and HAProxy raise their own; 10,000 where the system does not tell. */
    static long hard() {
        try {
            return parse(Files.readAllLines(Path.of("/proc/self/limits")));
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    /** Reads the lines of {@code /proc/self/limits}. */
    static long parse(List<String> limits) {
        for (String line : limits) {
            if (line.startsWith("Max open files")) {
                String hard = line.substring("Max open files".length()).trim().split("\\s+", -1)[1];
                return hard.equals("unlimited") ? Integer.MAX_VALUE : Long.parseLong(hard);
            }
        }
        return UNKNOWN;
    }
}

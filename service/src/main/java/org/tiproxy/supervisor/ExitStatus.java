package org.tiproxy.supervisor;

import java.util.Map;

/** How a process ended, in words. */
final class ExitStatus {
    /** Said where only the parent could know and we are not the parent. */
    static final String UNKNOWN = "unknown (it was started by an earlier proxy)";

    private static final Map<Integer, String> SIGNALS = Map.ofEntries(
            Map.entry(1, "SIGHUP"),
            Map.entry(2, "SIGINT"),
            Map.entry(3, "SIGQUIT"),
            Map.entry(4, "SIGILL"),
            Map.entry(6, "SIGABRT"),
            Map.entry(7, "SIGBUS"),
            Map.entry(8, "SIGFPE"),
            Map.entry(9, "SIGKILL"),
            Map.entry(11, "SIGSEGV"),
            Map.entry(13, "SIGPIPE"),
            Map.entry(14, "SIGALRM"),
            Map.entry(15, "SIGTERM"),
            Map.entry(24, "SIGXCPU"),
            Map.entry(25, "SIGXFSZ"),
            Map.entry(31, "SIGSYS"));

    private ExitStatus() {}

    /** The number, and after 128 the signal that it stands for: {@code 137 (SIGKILL)}. */
    static String text(int status) {
        String signal = SIGNALS.get(status - 128);
        return signal == null ? Integer.toString(status) : status + " (" + signal + ")";
    }
}

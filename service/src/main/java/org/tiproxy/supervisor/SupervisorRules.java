package org.tiproxy.supervisor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.GoDuration;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.supervisor.SupervisorConfig.Probe;

/** What the keys of {@code [supervisor]} demand of each other and of the machine. */
final class SupervisorRules {
    private SupervisorRules() {}

    static void reportKeysWithoutEffect(Settings settings, Problems problems) {
        for (Key<?> key : SupervisorConfig.KEYS) {
            if (settings.isSet(key)) {
                problems.error(
                        settings.origin(key),
                        "has no effect without a program to start (--exec, or exec in [supervisor])");
            }
        }
    }

    static @Nullable Path workdir(Settings settings, Problems problems) {
        @Nullable Path workdir = settings.find(SupervisorConfig.WORKDIR);
        if (workdir != null && !Files.isDirectory(workdir)) {
            String what = Files.exists(workdir) ? "not a folder" : "no such folder";
            problems.error(settings.origin(SupervisorConfig.WORKDIR), Problem.quote(workdir.toString()) + ": " + what);
        }
        return workdir == null ? null : workdir.toAbsolutePath();
    }

    /** The program's absolute path, so that what was checked is what is started. */
    static @Nullable String program(Settings settings, Problems problems, @Nullable Path workdir) {
        @Nullable String exec = settings.find(SupervisorConfig.EXEC);
        if (exec == null
                || (settings.isSet(SupervisorConfig.WORKDIR) && (workdir == null || !Files.isDirectory(workdir)))) {
            // Reported already: without its folder there is no telling whether the program exists.
            return null;
        }
        String searchPath = settings.environment().getOrDefault("PATH", "");
        ProgramLookup lookup = ProgramLookup.find(exec, workdir, searchPath);
        @Nullable Path program = lookup.program();
        if (program == null) {
            problems.error(settings.origin(SupervisorConfig.EXEC), Problem.quote(exec) + ": " + lookup.failure());
            return null;
        }
        return program.toString();
    }

    static void checkProbe(Settings settings, Problems problems) {
        boolean http = settings.find(SupervisorConfig.PROBE) == Probe.HTTP;
        if (http && settings.isMissing(SupervisorConfig.PROBE_URL)) {
            problems.error(
                    settings.origin(SupervisorConfig.PROBE),
                    "\"http\": needs " + SupervisorConfig.PROBE_URL.path() + ", such as http://127.0.0.1:3000/");
        }
        if (!http && settings.isSet(SupervisorConfig.PROBE_URL)) {
            problems.error(
                    settings.origin(SupervisorConfig.PROBE_URL),
                    "has no effect unless " + SupervisorConfig.PROBE.path() + " is \"http\"");
        }
    }

    static void checkBackoff(Settings settings, Problems problems) {
        Duration min = settings.get(SupervisorConfig.MIN_BACKOFF);
        Duration max = settings.get(SupervisorConfig.MAX_BACKOFF);
        if (min.compareTo(max) > 0) {
            // Points at the one that was given; a default is never the mistake.
            Key<Duration> given = settings.isSet(SupervisorConfig.MIN_BACKOFF)
                    ? SupervisorConfig.MIN_BACKOFF
                    : SupervisorConfig.MAX_BACKOFF;
            problems.error(
                    settings.origin(given),
                    SupervisorConfig.MIN_BACKOFF.path() + " (" + GoDuration.format(min) + ") is more than "
                            + SupervisorConfig.MAX_BACKOFF.path() + " (" + GoDuration.format(max) + ")");
        }
    }

    static Path stateDirectory(Settings settings) {
        @Nullable Path given = settings.find(SupervisorConfig.STATE_DIR);
        if (given != null) {
            return given.toAbsolutePath();
        }
        // The XDG specification says that a relative path is to be ignored.
        String xdg = settings.environment().getOrDefault("XDG_STATE_HOME", "");
        Path home = Path.of(System.getProperty("user.home", ""));
        Path states =
                xdg.startsWith("/") ? Path.of(xdg) : home.resolve(".local").resolve("state");
        return states.resolve("tiproxy").toAbsolutePath();
    }
}

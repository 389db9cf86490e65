package org.tiproxy.supervisor;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * How the child is started, watched and stopped.
 *
 * @param exec the program: a path, or a name that is looked up in {@code workdir} and then in {@code PATH}
 * @param args its arguments
 * @param workdir its working directory; null for the proxy's own
 * @param address where it listens
 * @param idleTimeout how long after the last connection closed it is stopped; zero for at once, {@link #NEVER} for never
 * @param startTimeout how long it may take to become ready
 * @param readyInterval the longest pause between two readiness probes; the first pauses are shorter
 * @param gracePeriod how long after SIGTERM it is killed with SIGKILL
 * @param probe what counts as ready
 * @param httpProbe the URL for {@link Probe#HTTP}; null otherwise
 * @param minBackoff how long new clients are refused after a first failed start
 * @param maxBackoff the most that the doubling of {@code minBackoff} reaches
 * @param stateDirectory where the child's pid and start time are recorded
 */
public record SupervisorConfig(
        String exec,
        List<String> args,
        @Nullable Path workdir,
        HostPort address,
        Duration idleTimeout,
        Duration startTimeout,
        Duration readyInterval,
        Duration gracePeriod,
        Probe probe,
        @Nullable URI httpProbe,
        Duration minBackoff,
        Duration maxBackoff,
        Path stateDirectory) {

    /** The idle timeout that never ends. */
    public static final Duration NEVER = Duration.ofSeconds(Long.MAX_VALUE);

    /** What counts as ready. */
    public enum Probe {
        /** A TCP connection is accepted. */
        TCP,
        /** A TCP connection is accepted and a MySQL greeting arrives on it. */
        MYSQL,
        /** An HTTP GET is answered with a 2xx or 3xx status. */
        HTTP
    }

    /** The program, without which there is nothing to start. */
    public static final Key<String> EXEC = Key.string(
                    "supervisor.exec",
                    "the program that is started on demand: a path, relative to the working directory, or a name that is"
                            + " looked for there and then in `PATH`; none = the backend is not started by the proxy")
            .flag("exec");
    /** The program's arguments, which the command line gives without a flag. */
    public static final Key<List<String>> ARGS = Key.strings(
                    "supervisor.args", "the program's arguments; on the command line: everything after `--`")
            .byDefault("");

    static final Key<Path> WORKDIR = Key.path(
                    "supervisor.workdir", "a folder", "the program's working directory; none = the proxy's own")
            .flag("workdir");
    static final Key<Duration> IDLE = Key.durationOr(
                    "supervisor.idle",
                    "never",
                    NEVER,
                    "how long after the last connection closed the program is stopped; 0 = at once")
            .byDefault("30s")
            .flag("idle")
            .reloadable();
    static final Key<Duration> START = Key.positiveDuration(
                    "supervisor.start", "how long the program may take to become ready")
            .byDefault("30s")
            .flag("start")
            .reloadable();
    static final Key<Duration> READY = Key.positiveDuration(
                    "supervisor.ready", "the longest pause between two readiness probes; the first ones are shorter")
            .byDefault("500ms")
            .flag("ready");
    static final Key<Duration> GRACE_PERIOD = Key.positiveDuration(
                    "supervisor.grace-period", "how long after SIGTERM the program is killed with SIGKILL")
            .byDefault("10s")
            .reloadable();
    static final Key<Probe> PROBE = Key.choice(
            "supervisor.probe",
            Probe.class,
            "what counts as ready: a TCP connection, a MySQL greeting on it, or an HTTP status 2xx or 3xx;"
                    + " none = the protocol's own, `tcp` or `mysql`");
    static final Key<URI> PROBE_URL =
            Key.httpUrl("supervisor.probe-url", "what the `http` probe asks for; required with it");
    static final Key<Duration> MIN_BACKOFF = Key.positiveDuration(
                    "supervisor.min-backoff",
                    "how long new clients are refused after a failed start; doubles with each further failure")
            .byDefault("500ms");
    static final Key<Duration> MAX_BACKOFF = Key.positiveDuration(
                    "supervisor.max-backoff", "the most that the doubling reaches")
            .byDefault("30s");
    static final Key<Path> STATE_DIR = Key.path(
            "supervisor.state-dir",
            "a folder",
            "where the program's pid is recorded, to find it again after a crash; none = `$XDG_STATE_HOME/tiproxy`, else"
                    + " `~/.local/state/tiproxy`");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(
            EXEC,
            ARGS,
            WORKDIR,
            IDLE,
            START,
            READY,
            GRACE_PERIOD,
            PROBE,
            PROBE_URL,
            MIN_BACKOFF,
            MAX_BACKOFF,
            STATE_DIR);

    /**
     * Reads the section.
     *
     * @param address where the child listens; null if that is not known, which is reported elsewhere
     * @param usualProbe what counts as ready if the configuration does not say
     * @return null if there is no program to start, or no address
     */
    public static @Nullable SupervisorConfig from(
            Settings settings, Problems problems, @Nullable HostPort address, Probe usualProbe) {
        if (settings.isMissing(EXEC)) {
            SupervisorRules.reportKeysWithoutEffect(settings, problems);
            return null;
        }
        @Nullable Path workdir = SupervisorRules.workdir(settings, problems);
        @Nullable String program = SupervisorRules.program(settings, problems, workdir);
        SupervisorRules.checkProbe(settings, problems);
        SupervisorRules.checkBackoff(settings, problems);
        if (program == null || address == null) {
            return null;
        }
        @Nullable Probe given = settings.find(PROBE);
        Probe probe = given == null ? usualProbe : given;
        return new SupervisorConfig(
                program,
                settings.get(ARGS),
                workdir,
                address,
                settings.get(IDLE),
                settings.get(START),
                settings.get(READY),
                settings.get(GRACE_PERIOD),
                probe,
                probe == Probe.HTTP ? settings.find(PROBE_URL) : null,
                settings.get(MIN_BACKOFF),
                settings.get(MAX_BACKOFF),
                SupervisorRules.stateDirectory(settings));
    }
}

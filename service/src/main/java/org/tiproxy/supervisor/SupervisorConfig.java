package org.tiproxy.supervisor;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

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
}

package org.tiproxy.supervisor;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/** Builds configurations for tests. */
final class SupervisorConfigs {
    private String exec = "sample";
    private List<String> args = List.of();
    private @Nullable Path workdir;
    private HostPort address = new HostPort("127.0.0.1", 3000);
    private Duration idleTimeout = Duration.ofSeconds(30);
    private Duration startTimeout = Duration.ofSeconds(10);
    private Duration gracePeriod = Duration.ofSeconds(5);
    private SupervisorConfig.Probe probe = SupervisorConfig.Probe.TCP;
    private @Nullable URI httpProbe;
    private Duration minBackoff = Duration.ofSeconds(1);
    private Path stateDirectory = Path.of("unused");

    private SupervisorConfigs() {}

    /** Idle 30 s, start 10 s, grace 5 s, back-off 1 s to 8 s, a command that does not exist. */
    static SupervisorConfigs sample() {
        return new SupervisorConfigs();
    }

    /** A {@link TestChild} at {@code port}, with time limits that a slow machine does not reach by accident. */
    static SupervisorConfigs testChild(Path stateDirectory, int port, String... behaviour) {
        List<String> args = new ArrayList<>(TestChild.jvmArguments());
        args.add("port=" + port);
        args.addAll(List.of(behaviour));
        return sample().command(TestChild.JAVA, args)
                .port(port)
                .start(Duration.ofSeconds(60))
                .grace(Duration.ofSeconds(60))
                .stateDirectory(stateDirectory);
    }

    @CanIgnoreReturnValue
    SupervisorConfigs command(String newExec, List<String> newArgs) {
        exec = newExec;
        args = newArgs;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs workdir(Path directory) {
        workdir = directory;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs port(int port) {
        address = new HostPort("127.0.0.1", port);
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs idle(Duration timeout) {
        idleTimeout = timeout;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs start(Duration timeout) {
        startTimeout = timeout;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs grace(Duration period) {
        gracePeriod = period;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs probe(SupervisorConfig.Probe newProbe, @Nullable URI uri) {
        probe = newProbe;
        httpProbe = uri;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs minBackoff(Duration pause) {
        minBackoff = pause;
        return this;
    }

    @CanIgnoreReturnValue
    SupervisorConfigs stateDirectory(Path directory) {
        stateDirectory = Objects.requireNonNull(directory);
        return this;
    }

    SupervisorConfig build() {
        return new SupervisorConfig(
                exec,
                args,
                workdir,
                address,
                idleTimeout,
                startTimeout,
                Duration.ofMillis(500),
                gracePeriod,
                probe,
                httpProbe,
                minBackoff,
                Duration.ofSeconds(8),
                stateDirectory);
    }
}

package org.tiproxy.supervisor;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;

/** Configurations for tests: build on {@link #SAMPLE} and change what matters. */
final class SupervisorConfigs {
    /** Idle 30 s, start 10 s, grace 5 s, back-off 1 s to 8 s. */
    static final SupervisorConfig SAMPLE = new SupervisorConfig(
            "sample",
            List.of(),
            null,
            new HostPort("127.0.0.1", 3000),
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofMillis(500),
            Duration.ofSeconds(5),
            SupervisorConfig.Probe.TCP,
            null,
            Duration.ofSeconds(1),
            Duration.ofSeconds(8),
            Path.of("unused"));

    private SupervisorConfigs() {}

    static SupervisorConfig withIdle(SupervisorConfig config, Duration idleTimeout) {
        return copy(config, config.exec(), config.args(), config.workdir(), idleTimeout, config.probe());
    }

    static SupervisorConfig withCommand(
            SupervisorConfig config, String exec, List<String> args, @Nullable Path workdir) {
        return copy(config, exec, args, workdir, config.idleTimeout(), config.probe());
    }

    private static SupervisorConfig copy(
            SupervisorConfig config,
            String exec,
            List<String> args,
            @Nullable Path workdir,
            Duration idleTimeout,
            SupervisorConfig.Probe probe) {
        return new SupervisorConfig(
                exec,
                args,
                workdir,
                config.address(),
                idleTimeout,
                config.startTimeout(),
                config.readyInterval(),
                config.gracePeriod(),
                probe,
                config.httpProbe(),
                config.minBackoff(),
                config.maxBackoff(),
                config.stateDirectory());
    }
}

package org.tiproxy.agent.install;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import org.tiproxy.config.Key;
import org.tiproxy.config.Settings;

/**
 * Where the agent's own log lines go.
 *
 * @param level the least important messages that are logged
 * @param file null for the application's standard error
 */
record AgentLogConfig(Level level, @Nullable Path file) {
    static final Key<Level> LEVEL = Key.choice("log.level", Level.class, "the least important messages that are logged")
            .byDefault("info");
    static final Key<Path> FILE_NAME =
            Key.path("log.log-file.filename", "a file", "the file that log lines are added to; none = standard error");

    static final List<Key<?>> KEYS = List.of(LEVEL, FILE_NAME);

    static AgentLogConfig from(Settings settings) {
        return new AgentLogConfig(settings.get(LEVEL), settings.find(FILE_NAME));
    }
}

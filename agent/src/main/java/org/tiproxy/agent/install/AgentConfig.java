package org.tiproxy.agent.install;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.HostPort;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Key;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.management.JolokiaConfig;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.supervisor.SupervisorConfig;

/**
 * The whole configuration of the agent: what the agent was given wins over system properties, those over the environment,
 * that over the file.
 *
 * @param enabled whether drivers are woven at all
 * @param rules which connections are redirected, and where to
 * @param pool how backend connections are kept
 * @param child how a backend is started and stopped; null if there is none to start
 * @param jolokia its endpoint, which has no address unless it was asked for
 * @param log the agent's own log
 * @param configFile the file that was read; null if there was none
 */
record AgentConfig(
        boolean enabled,
        RedirectRules rules,
        PoolConfig pool,
        @Nullable SupervisorConfig child,
        JolokiaConfig jolokia,
        AgentLogConfig log,
        @Nullable Path configFile) {

    static final Key<Boolean> ENABLED = Key.bool(
                    "agent.enabled",
                    "whether drivers are woven; `false` leaves the application as it is. To stop and go on while it runs"
                            + " there is the attribute `Enabled`")
            .byDefault("true");
    static final Key<List<HostPort>> CHILD_ADDRESS = Key.addresses(
            "agent.child-address",
            "where the program of `[supervisor]` listens, one address; connections that lead there, by their URL or by a"
                    + " rule, start it; required with `supervisor.exec`");

    /** All keys there are, in the order in which they are documented. */
    static final List<Key<?>> KEYS = Stream.of(
                    List.of(ENABLED),
                    RedirectRules.KEYS,
                    List.of(CHILD_ADDRESS),
                    SupervisorConfig.KEYS,
                    PoolSection.KEYS,
                    JolokiaConfig.KEYS_IN_APPLICATIONS,
                    AgentLogConfig.KEYS)
            .<Key<?>>flatMap(List::stream)
            .toList();

    /** What the service's file may have besides: one file can serve both. */
    private static final List<String> SERVICE_ONLY = List.of(
            "backend",
            "jmx",
            "log.log-file.max-backups",
            "log.log-file.max-size",
            "pool.trust-plain-networks",
            "proxy",
            "security",
            "users");

    /**
     * Reads all sources.
     *
     * @param arguments what the agent was given; null for nothing
     * @param properties the JVM's system properties
     * @param problems receives warnings
     * @throws ConfigException if there is any mistake in any source
     */
    static AgentConfig read(
            @Nullable String arguments,
            Map<String, String> environment,
            Map<String, String> properties,
            Problems problems)
            throws ConfigException {
        SettingsReader reader = new SettingsReader(KEYS, SERVICE_ONLY, environment, problems);
        AgentArguments given = AgentArguments.parse(arguments, problems);
        @Nullable String property = properties.get(SettingsReader.CONFIG_FILE_PROPERTY);
        @Nullable String variable = environment.get(SettingsReader.CONFIG_FILE_VARIABLE);
        if (given.file() != null) {
            readFile(reader, given.file(), Origin.ofFlag(AgentArguments.PLACE, ""), problems);
        } else if (property != null) {
            readFile(reader, property, Origin.ofProperty(SettingsReader.CONFIG_FILE_PROPERTY, ""), problems);
        } else if (variable != null) {
            readFile(reader, variable, Origin.ofVariable(SettingsReader.CONFIG_FILE_VARIABLE, ""), problems);
        }
        reader.readProperties(properties);
        given.values().forEach(reader::readArgument);
        return from(reader.settings(), problems);
    }

    private static void readFile(SettingsReader reader, String name, Origin origin, Problems problems) {
        if (name.isEmpty()) {
            problems.error(origin, "expected the path of a file, found nothing");
            return;
        }
        try {
            reader.readFile(Path.of(name), name, origin);
        } catch (InvalidPathException e) {
            problems.error(origin, Problem.quote(name) + ": expected the path of a file (" + e.getReason() + ")");
        }
    }

    private static AgentConfig from(Settings settings, Problems problems) throws ConfigException {
        RedirectRules rules = RedirectRules.from(settings, problems);
        PoolConfig pool = PoolSection.from(settings, problems);
        @Nullable
        SupervisorConfig child = SupervisorConfig.from(
                settings, problems, childAddress(settings, problems), SupervisorConfig.Probe.MYSQL);
        JolokiaConfig jolokia = JolokiaConfig.inApplication(settings, problems);
        problems.throwIfErrors();
        return new AgentConfig(
                settings.get(ENABLED),
                rules,
                pool,
                child,
                jolokia,
                AgentLogConfig.from(settings),
                settings.configFile());
    }

    /** Null if there is none, or not exactly one, which is reported. */
    private static @Nullable HostPort childAddress(Settings settings, Problems problems) {
        boolean child = settings.isSet(SupervisorConfig.EXEC);
        @Nullable List<HostPort> addresses = settings.find(CHILD_ADDRESS);
        if (child && settings.isMissing(CHILD_ADDRESS)) {
            problems.error(
                    settings.origin(SupervisorConfig.EXEC),
                    "needs " + CHILD_ADDRESS.path() + ", where the program listens");
        }
        if (!child && settings.isSet(CHILD_ADDRESS)) {
            problems.error(
                    settings.origin(CHILD_ADDRESS), "has no effect without a program to start: exec in [supervisor]");
        }
        if (addresses == null) {
            return null;
        }
        if (addresses.size() != 1) {
            problems.error(settings.origin(CHILD_ADDRESS), "expected exactly one address, found " + addresses.size());
            return null;
        }
        return addresses.get(0);
    }
}

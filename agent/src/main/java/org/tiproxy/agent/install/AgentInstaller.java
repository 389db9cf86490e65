package org.tiproxy.agent.install;

import java.io.IOException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.bootstrap.AgentStart;
import org.tiproxy.agent.bootstrap.Bridge;
import org.tiproxy.agent.driver.DriverHook;
import org.tiproxy.agent.driver.DriverWeaver;
import org.tiproxy.agent.log.AgentLog;
import org.tiproxy.common.Ticker;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.InProcessProxy;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.pool.PoolConfig;
import org.tiproxy.pool.TimerThread;

/**
 * Starts the agent when the first driver class is loaded: reads the configuration, joins the parts, and gives woven
 * drivers the hook that they call. The engine and the beans wait for the first connection.
 *
 * <p>Reading order from here: {@link DriverWeaver} puts calls of the bridge into drivers, {@link DriverHook} answers them
 * and asks {@link AgentRedirector}, {@link Engine} opens.
 */
public final class AgentInstaller implements AgentStart {
    @Override
    public @Nullable Weaver start(@Nullable String arguments) {
        AgentConfig config;
        Problems problems = new Problems();
        try {
            config = AgentConfig.read(arguments, System.getenv(), systemProperties(), problems);
        } catch (ConfigException e) {
            report(e);
            return null;
        }
        problems.warnings().forEach(warning -> say("warning: " + warning));
        if (!config.enabled()) {
            return null;
        }
        try {
            AgentLog.configure(config.log().level(), config.log().file());
        } catch (IOException e) {
            say("cannot write the log file " + config.log().file() + " (" + e
                    + "): check log.log-file.filename; logging to standard error");
        }
        AgentManagement management = new AgentManagement(version(), config.configFile(), config.jolokia());
        AgentRedirector redirector = new AgentRedirector(config.rules(), Ticker.SYSTEM, management::start);
        Bridge.HOOK = new DriverHook(redirector, new Engine(config, AgentInstaller::engine, management));
        return new DriverWeaver();
    }

    private static DriverProxy engine(PoolConfig pool, Backends backends, PoolListener listener) {
        // The housekeeping of all pools, on one thread; what waits for a backend there has threads of its own.
        return new InProcessProxy(pool, backends::of, Ticker.SYSTEM, new TimerThread("tiproxy-timer"), listener, true);
    }

    private static Map<String, String> systemProperties() {
        Map<String, String> values = new TreeMap<>();
        Properties properties = System.getProperties();
        for (String name : properties.stringPropertyNames()) {
            values.put(name, String.valueOf(properties.getProperty(name)));
        }
        return values;
    }

    private static void report(ConfigException e) {
        int errors = e.errors().size();
        StringBuilder text = new StringBuilder()
                .append(errors == 1 ? "1 configuration error" : errors + " configuration errors")
                .append(", connections stay direct");
        for (Problem error : e.errors()) {
            text.append(System.lineSeparator()).append("  ").append(error);
        }
        say(text.toString());
        e.warnings().forEach(warning -> say("warning: " + warning));
    }

    /** Configuration and log are not there yet. */
    private static void say(String message) {
        System.err.println("tiproxy: " + message);
    }

    private static String version() {
        @Nullable String version = AgentInstaller.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }
}

package org.tiproxy.agent.install;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.LogThrottle;
import org.tiproxy.common.Ticker;
import org.tiproxy.error.ProxyException;
import org.tiproxy.inprocess.DriverConnection;
import org.tiproxy.inprocess.DriverLogin;
import org.tiproxy.inprocess.DriverProxy;
import org.tiproxy.inprocess.InProcessProxy;
import org.tiproxy.supervisor.ProcessSupervisor;
import org.tiproxy.supervisor.SupervisorConfig;

/** The engine, made when the first connection is opened, with what stands in front of it. */
final class Engine implements DriverProxy {
    private static final Logger log = LoggerFactory.getLogger(Engine.class);

    private final AgentConfig config;
    private final EngineFactory factory;
    private final AgentManagement management;
    private final LogThrottle childLog = new LogThrottle(Duration.ofMinutes(1), Ticker.SYSTEM);
    private volatile @Nullable DriverProxy made;

    Engine(AgentConfig config, EngineFactory factory, AgentManagement management) {
        this.config = config;
        this.factory = factory;
        this.management = management;
    }

    @Override
    public DriverConnection open(DriverLogin login) throws IOException {
        DriverProxy engine = made;
        return (engine == null ? make() : engine).open(login);
    }

    private synchronized DriverProxy make() {
        DriverProxy engine = made;
        if (engine == null) {
            engine = factory.create(config.pool(), config.rules(), management);
            if (engine instanceof InProcessProxy proxy) {
                management.sessionsOpened(proxy.sessions());
            }
            SupervisorConfig child = config.child();
            if (child != null) {
                // Its supervisor only for those that lead to it: it may be another process that has the child.
                engine = new OnDemandBackend(child.address(), () -> supervisor(child), config.rules(), engine);
            }
            made = engine;
        }
        return engine;
    }

    private ProcessSupervisor supervisor(SupervisorConfig child) throws IOException {
        try {
            ProcessSupervisor supervisor = ProcessSupervisor.open(child);
            // SIGTERM and the grace period: the child is a database, which wants to write what it has.
            Runtime.getRuntime().addShutdownHook(new DaemonThreads("tiproxy-exit").newThread(supervisor::close));
            management.childOpened(supervisor);
            return supervisor;
        } catch (ProxyException | IllegalArgumentException e) {
            childLog.run(more -> log.error("the program of [supervisor] cannot be run: {}{}", e.getMessage(), more));
            throw new IOException("the program of [supervisor] cannot be run: " + e.getMessage(), e);
        }
    }
}

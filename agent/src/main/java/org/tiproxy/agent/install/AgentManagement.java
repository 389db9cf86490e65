package org.tiproxy.agent.install;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.inprocess.PoolListener;
import org.tiproxy.management.AgentStatus;
import org.tiproxy.management.AgentView;
import org.tiproxy.management.JolokiaConfig;
import org.tiproxy.management.JolokiaEndpoint;
import org.tiproxy.management.MBeanRegistrar;
import org.tiproxy.management.PoolView;
import org.tiproxy.management.SessionsView;
import org.tiproxy.management.SupervisorView;
import org.tiproxy.supervisor.ProcessSupervisor;

/**
 * The agent's beans in the application's platform MBean server. The server is not touched before {@link #start}, because
 * an application may want to set it up. What cannot be registered is logged; connections do not depend on it.
 */
final class AgentManagement implements PoolListener {
    private static final Logger log = LoggerFactory.getLogger(AgentManagement.class);

    private final String version;
    private final @Nullable Path configFile;
    private final JolokiaConfig jolokia;
    private @Nullable MBeanRegistrar registrar;

    AgentManagement(String version, @Nullable Path configFile, JolokiaConfig jolokia) {
        this.version = version;
        this.configFile = configFile;
        this.jolokia = jolokia;
    }

    /** Registers the agent's bean and, if it was asked for, starts Jolokia. */
    synchronized void start(AgentStatus status) {
        try {
            // On the thread of the application: its context class loader has what the application may have named to
            // make the server.
            MBeanRegistrar started = new MBeanRegistrar(ManagementFactory.getPlatformMBeanServer());
            registrar = started;
            String file = configFile == null ? "" : configFile.toAbsolutePath().toString();
            started.register(new AgentView(version, file, status), "type=Agent");
        } catch (RuntimeException | LinkageError e) {
            log.warn("the agent cannot be operated over JMX: {}", e.toString());
        }
        if (jolokia.address() != null) {
            try {
                JolokiaEndpoint endpoint = JolokiaEndpoint.start(jolokia);
                log.info("Jolokia answers on {}", endpoint.address());
            } catch (IOException | RuntimeException | LinkageError e) {
                log.warn("Jolokia cannot be started: {}", e.toString());
            }
        }
    }

    /** Shows the on-demand child. */
    void childOpened(ProcessSupervisor child) {
        register(new SupervisorView(child), "type=Supervisor,name=default");
    }

    /** Shows the conversations of the application's drivers, where the service shows those of its clients. */
    void sessionsOpened(SessionRegistry sessions) {
        register(new SessionsView(sessions), "type=Proxy,name=default");
    }

    @Override
    public void poolOpened(String name, SharedConnections pool) {
        register(new PoolView(pool), poolProperties(name));
    }

    @Override
    public synchronized void poolClosed(String name) {
        MBeanRegistrar started = registrar;
        if (started != null) {
            started.unregister(poolProperties(name));
        }
    }

    private static String poolProperties(String name) {
        return "type=Pool,name=" + ObjectName.quote(name);
    }

    private synchronized void register(Object bean, String properties) {
        MBeanRegistrar started = registrar;
        if (started == null) {
            return;
        }
        try {
            started.register(bean, properties);
        } catch (RuntimeException e) {
            log.warn("cannot be operated over JMX: {}", e.getMessage());
        }
    }
}

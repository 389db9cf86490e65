package org.tiproxy.agent.log;

import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.jul.JULServiceProvider;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;
import org.tiproxy.agent.AgentClassLoader;

/**
 * What our slf4j, which no application sees, is bound to: {@link AgentLog} in an application, {@code java.util.logging}
 * in the service.
 */
public final class AgentLogProvider implements SLF4JServiceProvider {
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter contexts = new NOPMDCAdapter();
    private @Nullable ILoggerFactory loggers;

    @Override
    public void initialize() {
        if (AgentLogProvider.class.getClassLoader() instanceof AgentClassLoader loader && loader.isInApplication()) {
            loggers = AgentLogger::new;
        } else {
            loggers = Service.loggers();
        }
    }

    /** A class of its own: in an application not even the names in it are loaded. */
    private static final class Service {
        static ILoggerFactory loggers() {
            JULServiceProvider provider = new JULServiceProvider();
            provider.initialize();
            return provider.getLoggerFactory();
        }
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        ILoggerFactory initialized = loggers;
        if (initialized == null) {
            throw new IllegalStateException("not initialized");
        }
        return initialized;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return contexts;
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }
}

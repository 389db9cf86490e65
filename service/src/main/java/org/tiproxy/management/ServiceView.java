package org.tiproxy.management;

import java.time.Instant;

/** The process as JMX shows it. */
public final class ServiceView implements ServiceMXBean {
    private final String version;
    private final Instant startTime;
    private final String configFile;
    private final Runnable shutdown;

    /**
     * A view of the process.
     *
     * @param shutdown begins an orderly end and returns at once
     */
    public ServiceView(String version, Instant startTime, String configFile, Runnable shutdown) {
        this.version = version;
        this.startTime = startTime;
        this.configFile = configFile;
        this.shutdown = shutdown;
    }

    @Override
    public String getVersion() {
        return version;
    }

    @Override
    public String getStartTime() {
        return startTime.toString();
    }

    @Override
    public String getConfigFile() {
        return configFile;
    }

    @Override
    public String shutdown() {
        shutdown.run();
        return "shutting down";
    }
}

package org.tiproxy.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.tiproxy.app.TiProxy;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;
import org.tiproxy.error.ProxyException;

/** The whole service, configured by a file as its users do it, in this JVM and without management ports. */
public final class RunningProxy implements AutoCloseable {
    private final TiProxy service;
    private final int port;

    private RunningProxy(TiProxy service, int port) {
        this.service = service;
        this.port = port;
    }

    /** Starts a MySQL proxy in front of a port of 127.0.0.1; its file is written into {@code folder}. */
    public static RunningProxy start(Path folder, int backendPort) throws IOException, ConfigException, ProxyException {
        int port = MariaDbServer.freePort();
        Path file = Files.write(
                folder.resolve("tiproxy.toml"),
                List.of(
                        "[proxy]",
                        "addr = '127.0.0.1:" + port + "'",
                        "protocol = 'mysql'",
                        "[backend]",
                        "instances = ['127.0.0.1:" + backendPort + "']",
                        "[jmx]",
                        "addr = 'off'",
                        "[jolokia]",
                        "addr = 'off'"));
        Problems problems = new Problems();
        SettingsReader reader = new SettingsReader(TiProxyConfig.KEYS, TiProxyConfig.IGNORED, Map.of(), problems);
        reader.readFile(file, file.toString(), Origin.ofFlag("--config", ""));
        return new RunningProxy(TiProxy.start(TiProxyConfig.from(reader.settings(), problems)), port);
    }

    /** Where it listens on 127.0.0.1. */
    public int port() {
        return port;
    }

    @Override
    public void close() {
        service.stop();
    }
}

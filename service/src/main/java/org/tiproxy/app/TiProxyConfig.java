package org.tiproxy.app;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tiproxy.backend.BackendConfig;
import org.tiproxy.config.ConfigException;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;
import org.tiproxy.management.JmxConfig;
import org.tiproxy.management.JolokiaConfig;
import org.tiproxy.net.PoolingConfig;
import org.tiproxy.net.ProxyConfig;
import org.tiproxy.net.tls.SecurityConfig;
import org.tiproxy.supervisor.SupervisorConfig;

/**
 * The whole configuration of the service.
 *
 * @param proxy how clients are served
 * @param pooling whether and how backend connections are shared
 * @param backend where their connections lead
 * @param supervisor how the backend is started and stopped; null if it is somebody else's to start
 * @param security TLS on both sides
 * @param jmx the JMX connector
 * @param jolokia Jolokia's HTTP endpoint
 * @param log the log
 * @param configFile the file that was read; null if there was none
 */
public record TiProxyConfig(
        ProxyConfig proxy,
        PoolingConfig pooling,
        BackendConfig backend,
        @Nullable SupervisorConfig supervisor,
        SecurityConfig security,
        JmxConfig jmx,
        JolokiaConfig jolokia,
        LogConfig log,
        @Nullable Path configFile) {

    /** Without a pool. */
    public TiProxyConfig(
            ProxyConfig proxy,
            BackendConfig backend,
            @Nullable SupervisorConfig supervisor,
            SecurityConfig security,
            JmxConfig jmx,
            JolokiaConfig jolokia,
            LogConfig log,
            @Nullable Path configFile) {
        this(proxy, PoolingConfig.OFF, backend, supervisor, security, jmx, jolokia, log, configFile);
    }

    /** All keys there are, in the order in which they are documented. */
    public static final List<Key<?>> KEYS = Stream.of(
                    ProxyConfig.KEYS,
                    PoolingConfig.KEYS,
                    BackendConfig.KEYS,
                    SupervisorConfig.KEYS,
                    SecurityConfig.KEYS,
                    JmxConfig.KEYS,
                    JolokiaConfig.KEYS,
                    LogConfig.KEYS)
            .<Key<?>>flatMap(List::stream)
            .toList();

    /**
     * Keys and sections of pingcap/tiproxy's {@code proxy.toml}, old and new, that do not apply here: such a file is no
     * mistake.
     */
    public static final List<String> IGNORED = List.of(
            "advance",
            "api",
            "balance",
            "enable-traffic-replay",
            "ha",
            "labels",
            "log.encoder",
            "log.log-file.max-days",
            "metering",
            "metrics",
            "proxy.advertise-addr",
            "proxy.backend-clusters",
            "proxy.backend-healthy-keepalive",
            "proxy.backend-unhealthy-keepalive",
            "proxy.conn-buffer-size",
            "proxy.frontend-keepalive",
            "proxy.pd-addrs",
            "proxy.port-range",
            "proxy.public-endpoints",
            "proxy.require-backend-tls",
            "proxy.tcp-keep-alive",
            "security.cluster-tls",
            "security.encryption",
            "security.encryption-key-path",
            "security.server-http-tls",
            "security.server-tls.autocert-expire-duration",
            "security.server-tls.rsa-key-size",
            "security.sql-tls.auto-certs",
            "security.sql-tls.autocert-expire-duration",
            "security.sql-tls.cert-allowed-cn",
            "security.sql-tls.rsa-key-size",
            "workdir");

    /**
     * Checks everything and makes the configuration.
     *
     * @param problems what has been found while reading; receives what is found here
     * @throws ConfigException if there is any error, found here or before
     */
    public static TiProxyConfig from(Settings settings, Problems problems) throws ConfigException {
        ProxyConfig proxy = ProxyConfig.from(settings, problems);
        PoolingConfig pooling = PoolingConfig.from(settings, problems, proxy);
        @Nullable BackendConfig backend = BackendConfig.from(settings, problems, soleBackendBecause(settings, pooling));
        boolean mysql = proxy.protocol() == ProxyConfig.Protocol.MYSQL;
        @Nullable
        SupervisorConfig supervisor = SupervisorConfig.from(
                settings,
                problems,
                backend == null ? null : backend.address(),
                mysql ? SupervisorConfig.Probe.MYSQL : SupervisorConfig.Probe.TCP);
        SecurityConfig security = SecurityConfig.from(settings, problems, mysql);
        JmxConfig jmx = JmxConfig.from(settings, problems);
        JolokiaConfig jolokia = JolokiaConfig.from(settings, problems);
        LogConfig log = LogConfig.from(settings, problems);
        AddressRules.check(settings, problems, backend);
        problems.throwIfErrors();
        if (backend == null) {
            throw new IllegalStateException("no backend, and nobody has reported it");
        }
        return new TiProxyConfig(
                proxy, pooling, backend, supervisor, security, jmx, jolokia, log, settings.configFile());
    }

    private static String soleBackendBecause(Settings settings, PoolingConfig pooling) {
        if (settings.isSet(SupervisorConfig.EXEC)) {
            return "the program of " + SupervisorConfig.EXEC.path() + " listens on one";
        }
        return pooling.mode() == PoolingConfig.Mode.OFF
                ? "without " + PoolingConfig.MODE.path() + " connections are not spread over several"
                : "";
    }
}

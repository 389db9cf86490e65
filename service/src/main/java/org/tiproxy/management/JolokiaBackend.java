package org.tiproxy.management;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import org.jolokia.core.api.LogHandler;
import org.jolokia.server.core.config.ConfigKey;
import org.jolokia.server.core.config.Configuration;
import org.jolokia.server.core.service.JolokiaServiceManagerFactory;
import org.jolokia.server.core.service.api.JolokiaContext;
import org.jolokia.server.core.service.api.JolokiaServiceManager;
import org.jolokia.server.core.service.api.SecurityDetails;
import org.jolokia.service.jmx.LocalRequestHandler;
import org.jolokia.service.notif.pull.PullNotificationBackend;
import org.jolokia.service.serializer.JolokiaSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Jolokia put together by hand from the services that this endpoint needs. Its own start would scan the class path, the
 * network interfaces and the environment, detect application servers, add the proxy mode, the history and the multicast
 * discovery, install a shutdown hook and write to standard output.
 */
final class JolokiaBackend implements AutoCloseable {
    private static final int SERVICE_ORDER = 1;

    private final JolokiaServiceManager services;
    private final JolokiaRequests all;
    private final JolokiaRequests reading;

    private JolokiaBackend(JolokiaServiceManager services, JolokiaContext context, JolokiaPolicy policy) {
        this.services = services;
        this.all = new JolokiaRequests(context, policy, false);
        this.reading = new JolokiaRequests(context, policy, true);
    }

    /**
     * Starts Jolokia, which registers a few beans of its own in the domain {@code jolokia}.
     *
     * @param url what Jolokia says about itself; also makes its beans' names unique in the JVM
     */
    static JolokiaBackend start(String url, boolean secured) {
        JolokiaPolicy policy = new JolokiaPolicy();
        JolokiaServiceManager services = JolokiaServiceManagerFactory.createJolokiaServiceManager(
                new Settings("tiproxy-" + Integer.toHexString(url.hashCode()), secured), new Log(), policy);
        services.addService(new LocalRequestHandler(SERVICE_ORDER));
        services.addService(new JolokiaSerializer());
        services.addService(new PullNotificationBackend(SERVICE_ORDER));
        JolokiaContext context = services.start();
        context.getAgentDetails().updateAgentParameters(url, secured);
        return new JolokiaBackend(services, context, policy);
    }

    /** What answers requests. */
    JolokiaRequests requests(boolean readOnly) {
        return readOnly ? reading : all;
    }

    @Override
    public void close() {
        services.stop();
    }

    /** The settings and nothing else: no system property or environment variable changes them. */
    private static final class Settings implements Configuration {
        private final Map<ConfigKey, String> values = new EnumMap<>(ConfigKey.class);
        private final SecurityDetails security = new SecurityDetails();

        Settings(String agentId, boolean secured) {
            values.put(ConfigKey.AGENT_ID, agentId);
            values.put(ConfigKey.AGENT_CONTEXT, JolokiaEndpoint.CONTEXT);
            values.put(ConfigKey.AGENT_DESCRIPTION, "tiproxy");
            values.put(ConfigKey.DISABLE_DETECTORS, "true");
            values.put(ConfigKey.DISCOVERY_ENABLED, "false");
            values.put(ConfigKey.ALLOW_DNS_REVERSE_LOOKUP, "false");
            // Without this a request may ask for stack traces.
            values.put(ConfigKey.ALLOW_ERROR_DETAILS, "false");
            if (secured) {
                security.registerAuthenticationMethod(SecurityDetails.AuthMethod.BASIC, "tiproxy");
            }
        }

        @Override
        public @Nullable String getConfig(ConfigKey key) {
            return values.getOrDefault(key, key.getDefaultValue());
        }

        @Override
        public Set<ConfigKey> getConfigKeys() {
            return values.keySet();
        }

        @Override
        public boolean containsKey(ConfigKey key) {
            return values.containsKey(key);
        }

        @Override
        public Map<String, String> getNetworkConfig() {
            return Map.of();
        }

        @Override
        public SecurityDetails getSecurityDetails() {
            return security;
        }
    }

    /** Jolokia's own log, under one logger. */
    private static final class Log implements LogHandler {
        private static final Logger log = LoggerFactory.getLogger("org.tiproxy.management.jolokia");

        @Override
        public void debug(String message) {
            log.trace(message);
        }

        @Override
        public void info(String message) {
            log.debug(message);
        }

        @Override
        public void error(String message, @Nullable Throwable cause) {
            log.warn(message);
            log.debug("The cause", cause);
        }

        /** False: Jolokia's debug mode keeps requests and answers, with their values. */
        @Override
        public boolean isDebug() {
            return false;
        }
    }
}

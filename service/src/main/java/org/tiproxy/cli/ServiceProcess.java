package org.tiproxy.cli;

import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.app.Logging;
import org.tiproxy.app.TiProxy;
import org.tiproxy.app.TiProxyConfig;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.error.ProxyException;

/**
 * The process around {@link TiProxy}: runs it until it is stopped by a signal or an operator.
 *
 * <p>The first SIGTERM, SIGINT or SIGHUP stops in order and ends with status 0. A second one kills the child and ends at
 * once with status 128 + signal number. Whatever else ends the JVM leaves no child behind either: a shutdown hook sees to
 * that.
 */
final class ServiceProcess {
    private static final Logger log = LoggerFactory.getLogger(ServiceProcess.class);

    private static final String[] SIGNALS = {"TERM", "INT", "HUP"};

    private ServiceProcess() {}

    /**
     * Starts the service and returns when it has stopped.
     *
     * @throws ProxyException if it cannot start
     */
    static void run(TiProxyConfig config) throws ProxyException {
        Logging.configure(config.log());
        TiProxy service = TiProxy.start(config);
        Runtime.getRuntime().addShutdownHook(new DaemonThreads("tiproxy-exit").newThread(service::killChild));
        handleSignals(service);
        service.whenStopped().join();
    }

    private static void handleSignals(TiProxy service) {
        AtomicInteger received = new AtomicInteger();
        for (String name : SIGNALS) {
            Signals.handle(name, number -> {
                if (received.incrementAndGet() == 1) {
                    service.stopInBackground();
                    log.info("SIG{}: stopping; a second signal ends at once", name);
                } else {
                    // Says nothing: the log may be what hangs.
                    service.killChild();
                    Runtime.getRuntime().halt(128 + number);
                }
            });
        }
    }
}

package org.tiproxy.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.management.MBeanServer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.backend.BackendGate;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Ticker;
import org.tiproxy.engine.ProxyLifecycle;
import org.tiproxy.engine.SessionRegistry;
import org.tiproxy.engine.SharedConnections;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.management.JmxConnector;
import org.tiproxy.management.JolokiaEndpoint;
import org.tiproxy.management.MBeanRegistrar;
import org.tiproxy.management.PoolView;
import org.tiproxy.management.ProxyView;
import org.tiproxy.management.ServiceView;
import org.tiproxy.management.SupervisorView;
import org.tiproxy.net.ProxyListener;
import org.tiproxy.net.tls.ProxyTls;
import org.tiproxy.supervisor.ProcessSupervisor;
import org.tiproxy.supervisor.SupervisorConfig;
import org.tiproxy.supervisor.SupervisorState;

/**
 * The service: makes all parts, joins them, starts them in order and stops them in reverse order.
 *
 * <p>Reading order from here: {@link ProxyListener} accepts clients, its sessions ask the gate ({@link ProcessSupervisor})
 * for the backend and relay.
 */
public final class TiProxy {
    private static final Logger log = LoggerFactory.getLogger(TiProxy.class);

    private final TiProxyConfig config;
    private final Deque<Runnable> undo = new ArrayDeque<>();
    private final CompletableFuture<Void> stopped = new CompletableFuture<>();
    private final ScheduledExecutorService timer;
    private @Nullable ProcessSupervisor supervisor;
    private @Nullable ProxyLifecycle lifecycle;
    private boolean stopping;

    private TiProxy(TiProxyConfig config) {
        this.config = config;
        this.timer = Executors.newSingleThreadScheduledExecutor(new DaemonThreads("tiproxy-timer"));
    }

    /**
     * Starts everything; when this returns clients can connect.
     *
     * @throws ProxyException if a part cannot start, with what to do; nothing is left running then
     */
    public static TiProxy start(TiProxyConfig config) throws ProxyException {
        TiProxy service = new TiProxy(config);
        try {
            service.startAll();
            return service;
        } catch (ProxyException | RuntimeException e) {
            service.undoAll();
            throw e;
        }
    }

    private void startAll() throws ProxyException {
        Instant startTime = Instant.now();
        List<HostPort> backends = config.backend().addresses();
        String where = backends.stream().map(HostPort::toString).collect(Collectors.joining(", "));
        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        CompletableFuture<?> jmx = config.jmx().address() == null ? null : startJmx(beans);
        ThreadPoolExecutor resolver = new ThreadPoolExecutor(
                2, 2, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), new DaemonThreads("tiproxy-resolver"));
        resolver.allowCoreThreadTimeOut(true);
        undo.push(resolver::shutdownNow);

        BackendGate gate = BackendGate.open();
        SupervisorConfig supervisorConfig = config.supervisor();
        if (supervisorConfig != null) {
            ProcessSupervisor child = ProcessSupervisor.open(supervisorConfig);
            supervisor = child;
            undo.push(child::close);
            gate = child;
        }

        SessionRegistry sessions = new SessionRegistry(config.proxy().maxConnections());
        ProxyTls tls = ProxyTls.open(config.security());
        undo.push(tls::close);
        ProxyListener proxy = new ProxyListener(
                config.proxy(), config.pooling(), backends, gate, sessions, Ticker.SYSTEM, resolver, tls);
        undo.push(proxy::shutdown);
        if (supervisor != null) {
            followChild(supervisor, proxy);
        }
        ProxyLifecycle life = new ProxyLifecycle(proxy, sessions, timer);
        lifecycle = life;

        MBeanRegistrar registrar = new MBeanRegistrar(beans);
        undo.push(registrar::close);
        registrar.register(
                new ProxyView(
                        life,
                        sessions,
                        proxy,
                        where,
                        config.proxy().protocol().name().toLowerCase(Locale.ROOT),
                        proxy.transport().name()),
                "type=Proxy,name=default");
        SharedConnections pool = proxy.sharedConnections();
        if (pool != null) {
            registrar.register(new PoolView(pool), "type=Pool,name=default");
        }
        if (supervisor != null) {
            registrar.register(new SupervisorView(supervisor), "type=Supervisor,name=default");
        }
        registrar.register(
                new ServiceView(
                        Version.current(),
                        startTime,
                        config.configFile() == null ? "" : config.configFile().toString(),
                        this::stopInBackground),
                "type=Service");
        // After the beans: whoever can connect shall find them.
        if (config.jolokia().address() != null) {
            startJolokia();
        }
        if (jmx != null) {
            finished(jmx);
        }

        life.start();
        log.info(
                "tiproxy {} listens on {} for {} ({}, {}){}",
                Version.current(),
                proxy.address(),
                where,
                config.proxy().protocol().name().toLowerCase(Locale.ROOT),
                proxy.transport(),
                supervisorConfig == null ? "" : ", which it starts on the first connection");
    }

    /** A child that is stopped shall find no idle connections to wait for, and nobody connects to one that does not run. */
    private static void followChild(ProcessSupervisor child, ProxyListener proxy) {
        proxy.backendRuns(child.state() == SupervisorState.OPENED);
        child.addListener(change -> proxy.backendRuns(change.to() == SupervisorState.OPENED));
        // It may have been taken over in the meantime.
        proxy.backendRuns(child.state() == SupervisorState.OPENED);
    }

    /** RMI takes its time: it starts beside everything else. */
    private CompletableFuture<JmxConnector> startJmx(MBeanServer beans) {
        CompletableFuture<JmxConnector> connector = new CompletableFuture<>();
        new DaemonThreads("tiproxy-jmx-start")
                .newThread(() -> {
                    try {
                        connector.complete(JmxConnector.start(config.jmx(), beans));
                    } catch (IOException | RuntimeException e) {
                        connector.completeExceptionally(e);
                    }
                })
                .start();
        undo.push(() -> connector
                .handle((started, failure) -> started)
                .thenAccept(started -> {
                    if (started != null) {
                        started.close();
                    }
                })
                .join());
        return connector;
    }

    private static <T> T finished(CompletableFuture<T> start) throws ProxyException {
        try {
            return start.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ProxyException(ProxyError.INTERNAL, String.valueOf(cause.getMessage()), cause);
        }
    }

    private void startJolokia() throws ProxyException {
        try {
            JolokiaEndpoint jolokia = JolokiaEndpoint.start(config.jolokia());
            undo.push(jolokia::close);
        } catch (IOException e) {
            throw new ProxyException(ProxyError.INTERNAL, String.valueOf(e.getMessage()), e);
        }
    }

    /** Begins {@link #stop} on a thread of its own and returns at once. */
    public void stopInBackground() {
        new DaemonThreads("tiproxy-stop").newThread(this::stop).start();
    }

    /**
     * Stops: accepts for {@code graceful-wait-before-shutdown} more, then lets the connections finish for {@code
     * graceful-close-conn-timeout}, closes the rest, stops the child and everything else. Blocks until that is done; a
     * second call waits for the first.
     */
    public void stop() {
        synchronized (this) {
            if (stopping) {
                stopped.join();
                return;
            }
            stopping = true;
        }
        try {
            Duration wait = config.proxy().gracefulWaitBeforeShutdown();
            if (!wait.isZero()) {
                log.info("stopping: accepting for {} ms more", wait.toMillis());
                CompletableFuture.runAsync(
                                () -> {},
                                CompletableFuture.delayedExecutor(wait.toMillis(), TimeUnit.MILLISECONDS, timer))
                        .join();
            }
            ProxyLifecycle life = lifecycle;
            if (life != null) {
                log.info(
                        "stopping: {}",
                        life.stop(config.proxy().gracefulCloseConnTimeout()).join());
            }
        } finally {
            undoAll();
            log.info("stopped");
            stopped.complete(null);
        }
    }

    /** Kills the child at once, and nothing else: for the moment before the process is ended by force. */
    public void killChild() {
        ProcessSupervisor child = supervisor;
        if (child != null) {
            child.killNow();
        }
    }

    /** Completes when {@link #stop} has done its work, whoever called it. */
    public CompletableFuture<Void> whenStopped() {
        return stopped.copy();
    }

    private void undoAll() {
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (RuntimeException e) {
                log.warn("could not stop cleanly", e);
            }
        }
        timer.shutdownNow();
    }
}

package org.tiproxy.management;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;

/**
 * JMX over HTTP: Jolokia, on the JDK's small HTTP server, over the beans of the platform MBean server.
 *
 * <p>{@link #start} binds the port and returns; Jolokia itself is made on one of the endpoint's own threads, and a
 * request that arrives earlier waits for it. All threads are daemons, and none is left after a minute without requests
 * except the one that accepts.
 *
 * <p>Which beans are served is decided by {@link JolokiaPolicy}, which requests by {@link BrowserGuard}. All methods are
 * safe for use by several threads.
 */
public final class JolokiaEndpoint implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JolokiaEndpoint.class);

    static final String CONTEXT = "/jolokia";
    private static final int BACKLOG = 50;
    private static final int THREADS = 4;
    private static final int IDLE_THREAD_SECONDS = 60;
    private static final long ANSWER_MILLIS = 2000;

    private final HttpServer http;
    private final HostPort address;
    private final ThreadPoolExecutor threads;
    private final CompletableFuture<JolokiaBackend> backend = new CompletableFuture<>();
    private final JolokiaExchangeHandler handler;

    private JolokiaEndpoint(HttpServer http, BrowserGuard guard) {
        this.http = http;
        this.handler = new JolokiaExchangeHandler(guard, backend);
        this.address = HostPort.of(http.getAddress());
        this.threads = daemonThreads();
    }

    /**
     * Listens, and starts Jolokia in the background.
     *
     * @param config with an address; port 0 takes a free port, see {@link #address}
     * @throws IOException with a sentence for the user if the address cannot be used
     */
    public static JolokiaEndpoint start(JolokiaConfig config) throws IOException {
        HostPort wanted = Objects.requireNonNull(config.address(), "jolokia.addr is off");
        InetAddress host = Listening.resolve("Jolokia", "jolokia.addr", wanted);
        Listening.requireLogin("Jolokia", "jolokia", wanted, host, config.user(), config.password());

        setServerDefaults();
        HttpServer http;
        try {
            http = HttpServer.create(new InetSocketAddress(host, wanted.port()), BACKLOG);
        } catch (IOException e) {
            throw Listening.failed("Jolokia", "jolokia.addr", wanted, e);
        }
        JolokiaEndpoint endpoint = new JolokiaEndpoint(http, new BrowserGuard(wanted.host(), config.allowedHosts()));
        endpoint.serve(config);
        log.info("Jolokia at {}{}", endpoint.url(), config.user() == null ? "" : " (with authentication)");
        return endpoint;
    }

    /** Where it listens, with the literal address and the real port. */
    public HostPort address() {
        return address;
    }

    /** What a Jolokia client is given. */
    public String url() {
        return "http://" + address + CONTEXT;
    }

    /** Closes all connections and frees the port. Does nothing when called again. */
    @Override
    public void close() {
        handler.awaitAnswers(ANSWER_MILLIS);
        http.stop(0);
        // Jolokia may still be starting; then the thread that starts it finds the future taken, and stops it.
        boolean starting = backend.completeExceptionally(new IllegalStateException("The endpoint is closed"));
        if (!starting && !backend.isCompletedExceptionally()) {
            backend.join().close();
        }
        threads.shutdown();
    }

    private void serve(JolokiaConfig config) {
        HttpContext context = http.createContext(CONTEXT, handler);
        String user = config.user();
        Secret password = config.password();
        if (user != null && password != null) {
            context.setAuthenticator(new Login(user, password));
        }
        http.setExecutor(threads);
        // The HTTP server's own thread is a daemon because the thread that starts it is one.
        CompletableFuture.runAsync(http::start, threads).join();
        threads.execute(() -> startJolokia(user != null));
    }

    private void startJolokia(boolean secured) {
        try {
            JolokiaBackend started = JolokiaBackend.start(url(), secured);
            if (!backend.complete(started)) {
                started.close();
            }
        } catch (RuntimeException | LinkageError e) {
            log.error("Jolokia at {} did not start", url(), e);
            backend.completeExceptionally(e);
        }
    }

    private static ThreadPoolExecutor daemonThreads() {
        AtomicInteger count = new AtomicInteger();
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                THREADS, THREADS, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "tiproxy-jolokia-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /** The JDK's server reads these once per JVM; its own defaults wait for ever and delay small answers by 40 ms. */
    private static void setServerDefaults() {
        System.getProperties().putIfAbsent("sun.net.httpserver.maxReqTime", "10");
        System.getProperties().putIfAbsent("sun.net.httpserver.nodelay", "true");
    }

    private static final class Login extends BasicAuthenticator {
        private final Secret user;
        private final Secret password;

        Login(String user, Secret password) {
            super("tiproxy", StandardCharsets.UTF_8);
            this.user = new Secret(user);
            this.password = password;
        }

        @Override
        public boolean checkCredentials(String givenUser, String givenPassword) {
            // Both are always compared: how long it takes does not tell which one was wrong.
            boolean userMatches = user.matches(givenUser);
            boolean passwordMatches = password.matches(givenPassword);
            return userMatches && passwordMatches;
        }
    }
}

package org.tiproxy.net.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tiproxy.common.DaemonThreads;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyError;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.SecurityConfig.ServerTls;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;
import org.tiproxy.session.TlsMode;

/**
 * TLS on both sides of the proxy. Follows the files it is made from on a thread of its own until it is closed.
 *
 * <p>Thread-safe; only {@link #open} and {@link #awaitRsaKeys} block.
 */
public final class ProxyTls implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ProxyTls.class);

    /** Files are looked at so often; a change is used when two looks in a row have found the same. */
    private static final Duration CHECK_INTERVAL = Duration.ofSeconds(5);

    private static final int RSA_BITS = 2048;

    static {
        // A new handshake on the same connection costs the client nothing and an event loop milliseconds. It has to be
        // said before the JDK's TLS is loaded; whoever needs it sets the property.
        if (System.getProperty("jdk.tls.rejectClientInitiatedRenegotiation") == null) {
            System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
        }
    }

    private final TlsMode clientMode;
    private final TlsMode backendMode;
    private final @Nullable FollowedContext clients;
    private final @Nullable FollowedContext backends;
    private final @Nullable ScheduledExecutorService thread;
    private final CompletableFuture<KeyPair> rsaKeys = new CompletableFuture<>();
    private volatile @Nullable KeyPair ownRsaKeys;

    private ProxyTls(SecurityConfig config, Clock clock) throws PemException {
        ServerTls serverTls = config.serverTls();
        SqlTls sqlTls = config.sqlTls();
        clientMode = mode(serverTls != null, config.requireClientTls());
        backendMode = mode(sqlTls != null, config.requireBackendTls());
        List<FollowedContext> followed = new ArrayList<>();
        if (serverTls == null) {
            clients = null;
        } else if (serverTls.autoCerts()) {
            TlsMaterial made = TlsContexts.selfSigned(List.of());
            log.info("security.server-tls: made a certificate that nobody can verify: {}", made.describe());
            clients = new FollowedContext(
                    "security.server-tls",
                    serverTls.files(),
                    read -> TlsContexts.forClients(
                            serverTls, new TlsMaterial(made.chain(), made.key(), read.authorities())),
                    clock);
            followed.add(clients);
        } else {
            clients = new FollowedContext(
                    "security.server-tls", serverTls.files(), read -> TlsContexts.forClients(serverTls, read), clock);
            followed.add(clients);
        }
        if (sqlTls == null) {
            backends = null;
        } else {
            backends = new FollowedContext(
                    "security.sql-tls", sqlTls.files(), read -> TlsContexts.forBackends(sqlTls, read), clock);
            followed.add(backends);
        }
        thread = followed.isEmpty() ? null : follow(followed);
        makeRsaKeys();
    }

    private static TlsMode mode(boolean configured, boolean required) {
        if (!configured) {
            return TlsMode.DISABLED;
        }
        return required ? TlsMode.REQUIRED : TlsMode.PREFERRED;
    }

    private static ScheduledExecutorService follow(List<FollowedContext> followed) {
        ScheduledExecutorService thread =
                Executors.newSingleThreadScheduledExecutor(new DaemonThreads("tiproxy-certificates"));
        thread.scheduleWithFixedDelay(
                () -> {
                    for (FollowedContext context : followed) {
                        try {
                            context.check();
                        } catch (RuntimeException e) {
                            // A failure that leaves this method would end the checking for good.
                            log.error("{}: unexpected failure", context, e);
                        }
                    }
                },
                CHECK_INTERVAL.toMillis(),
                CHECK_INTERVAL.toMillis(),
                TimeUnit.MILLISECONDS);
        return thread;
    }

    /** Only a client without TLS in front of a backend with TLS ever needs them. */
    private void makeRsaKeys() {
        if (thread == null || backendMode == TlsMode.DISABLED || clientMode == TlsMode.REQUIRED) {
            rsaKeys.completeExceptionally(new IllegalStateException("no RSA keys where both sides are alike"));
            return;
        }
        rsaKeys.completeAsync(ProxyTls::newRsaKeys, thread);
    }

    private static KeyPair newRsaKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(RSA_BITS);
            return generator.generateKeyPair();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has RSA", e);
        }
    }

    /**
     * Has {@link #rsaKeys} made also where both sides are alike: the proxy authenticates clients by itself, and some of them
     * may come without TLS. Blocks while they are made.
     */
    public void requireRsaKeys() {
        if (clientMode != TlsMode.REQUIRED && rsaKeys.isCompletedExceptionally()) {
            ownRsaKeys = newRsaKeys();
        }
    }

    /** TLS on neither side. */
    public static ProxyTls none() {
        try {
            return new ProxyTls(SecurityConfig.NONE, Clock.systemUTC());
        } catch (PemException e) {
            throw new IllegalStateException("no files, and still one that cannot be used", e);
        }
    }

    /**
     * Reads all files and begins to follow them.
     *
     * @throws ProxyException if one cannot be used any more, although it could when the configuration was read
     */
    public static ProxyTls open(SecurityConfig config) throws ProxyException {
        try {
            return new ProxyTls(config, Clock.systemUTC());
        } catch (PemException e) {
            throw new ProxyException(ProxyError.INTERNAL, "[security]: " + e.phrase());
        }
    }

    /** Towards clients. */
    public TlsMode clientMode() {
        return clientMode;
    }

    /** Towards the backend. */
    public TlsMode backendMode() {
        return backendMode;
    }

    /** The server's side of TLS, with the certificate as it is now; only if it is offered to clients. */
    public SslHandler clientHandler(ByteBufAllocator allocator) {
        return withoutTimeLimit(present(clients).current().newHandler(allocator));
    }

    /** The client's side of TLS; only if it is used towards the backend. */
    public SslHandler backendHandler(ByteBufAllocator allocator, HostPort backend) {
        return withoutTimeLimit(present(backends).current().newHandler(allocator, backend.host(), backend.port()));
    }

    /** The login as a whole has a time limit, which is running already. */
    private static SslHandler withoutTimeLimit(SslHandler handler) {
        handler.setHandshakeTimeoutMillis(0);
        return handler;
    }

    private static FollowedContext present(@Nullable FollowedContext context) {
        if (context == null) {
            throw new IllegalStateException("TLS is not configured on this side");
        }
        return context;
    }

    /** Waits for {@link #rsaKeys}: to be called before clients are accepted, so that no event loop waits for them. */
    public void awaitRsaKeys() {
        rsaKeys.handle((keys, failure) -> keys).join();
    }

    /** The proxy's RSA keys, for a client without TLS in front of a backend with TLS, or of the proxy's own users. */
    public KeyPair rsaKeys() {
        KeyPair own = ownRsaKeys;
        if (own != null) {
            return own;
        }
        try {
            return rsaKeys.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("there are no RSA keys", e);
        }
    }

    /** Looks at the files now; otherwise a thread of its own does so every few seconds. For tests. */
    void check() {
        if (clients != null) {
            clients.check();
        }
        if (backends != null) {
            backends.check();
        }
    }

    @Override
    public void close() {
        if (thread != null) {
            thread.shutdownNow();
        }
    }
}

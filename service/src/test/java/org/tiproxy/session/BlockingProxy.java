package org.tiproxy.session;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Locale;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * For a look with real clients: {@code BlockingProxy <port> <backend-port> <client-tls> <backend-tls> <keystore.p12>}.
 */
final class BlockingProxy {
    private BlockingProxy() {}

    public static void main(String[] args) throws Exception {
        BlockingAdapter.Tls tls = args.length > 4 ? context(Path.of(args[4])) : null;
        SessionConfig config = Packets.config(
                TlsMode.valueOf(args[2].toUpperCase(Locale.ROOT)), TlsMode.valueOf(args[3].toUpperCase(Locale.ROOT)));
        InetSocketAddress backend = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
        long[] lastBackendIds = new long[2];
        try (ServerSocket server = new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket client = server.accept();
                client.setTcpNoDelay(true);
                SessionListener listener = new SessionListener() {
                    @Override
                    public void backendGreeted(long connectionId, String serverVersion) {
                        lastBackendIds[0] = lastBackendIds[1];
                        lastBackendIds[1] = connectionId;
                    }
                };
                // Every session has the same id; a KILL means the one before the last.
                ConnectionIds ids =
                        id -> id == Integer.toUnsignedLong(EngineHarness.CONNECTION_ID) ? lastBackendIds[0] : 0;
                BlockingAdapter adapter = new BlockingAdapter(client, config, listener, ids, tls);
                adapter.start(backend);
                Thread waiter = new Thread(() -> report(adapter));
                waiter.setDaemon(true);
                waiter.start();
            }
        }
    }

    static BlockingAdapter.Tls context(Path keyStoreFile) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore keyStore = KeyStore.getInstance("PKCS12");
        try (var in = Files.newInputStream(keyStoreFile)) {
            keyStore.load(in, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(keyStore, password);
        return new BlockingAdapter.Tls(contextOf(keys.getKeyManagers()), contextOf(null));
    }

    private static SSLContext contextOf(KeyManager @Nullable [] keys) throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, new TrustManager[] {new TrustAll()}, new SecureRandom());
        return context;
    }

    private static void report(BlockingAdapter adapter) {
        try {
            System.out.println(adapter.awaitEnd());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class TrustAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}

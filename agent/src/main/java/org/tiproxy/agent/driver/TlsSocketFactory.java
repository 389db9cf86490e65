package org.tiproxy.agent.driver;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.tiproxy.common.Secret;

/** Makes TLS sockets by {@link TlsRules}. */
final class TlsSocketFactory extends SSLSocketFactory {
    private final SSLSocketFactory delegate;
    private final List<String> protocols;
    private final List<String> ciphers;

    private TlsSocketFactory(SSLSocketFactory delegate, List<String> protocols, List<String> ciphers) {
        this.delegate = delegate;
        this.protocols = protocols;
        this.ciphers = ciphers;
    }

    /**
     * Reads the files that the rules name.
     *
     * @throws IOException if a file cannot be read
     * @throws GeneralSecurityException if it is not what it should be
     */
    static SSLSocketFactory of(TlsRules rules) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys(rules.files()), new TrustManager[] {trust(rules)}, null);
        return new TlsSocketFactory(context.getSocketFactory(), rules.protocols(), rules.ciphers());
    }

    private static KeyManager @Nullable [] keys(TlsRules.Files files) throws IOException, GeneralSecurityException {
        TlsStore store = files.keyStore();
        Secret keyPassword = files.keyPassword();
        if (store == null && files.systemKeys()) {
            String location = System.getProperty("javax.net.ssl.keyStore", "");
            if (!location.isEmpty()) {
                store = new TlsStore(
                        location,
                        System.getProperty("javax.net.ssl.keyStoreType"),
                        System.getProperty("javax.net.ssl.keyStorePassword"));
                keyPassword = null;
            }
        }
        if (store == null) {
            return null;
        }
        char[] password = keyPassword == null ? store.password() : TlsStore.chars(keyPassword);
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store.load(), password);
        return factory.getKeyManagers();
    }

    private static TrustManager trust(TlsRules rules) throws IOException, GeneralSecurityException {
        return switch (rules.trust()) {
            case ANY -> new LenientTrust(false);
            case DATED -> new LenientTrust(true);
            case SIGNED -> signed(rules.files());
            case SIGNED_OR_PROVEN -> new ProvenTrust(signed(rules.files()));
        };
    }

    private static X509ExtendedTrustManager signed(TlsRules.Files files) throws IOException, GeneralSecurityException {
        TlsStore store = files.trustStore();
        String certificate = files.certificate();
        KeyStore anchors = null;
        if (store != null) {
            anchors = store.load();
        } else if (certificate != null) {
            anchors = certificates(certificate);
        } else if (!files.systemTrust()) {
            throw new GeneralSecurityException("no certificates to trust: neither a trust store nor the JVM's own");
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(anchors);
        for (TrustManager manager : factory.getTrustManagers()) {
            if (manager instanceof X509ExtendedTrustManager extended) {
                return extended;
            }
        }
        throw new GeneralSecurityException("the JVM has no trust manager for X.509 certificates");
    }

    private static KeyStore certificates(String pemOrLocation) throws IOException, GeneralSecurityException {
        KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
        anchors.load(null, null);
        int number = 0;
        try (InputStream pem = pemOrLocation.startsWith("-----")
                ? new ByteArrayInputStream(pemOrLocation.getBytes(StandardCharsets.US_ASCII))
                : TlsStore.open(pemOrLocation.replaceFirst("^classpath:", ""))) {
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                anchors.setCertificateEntry(Integer.toString(number++), certificate);
            }
        }
        return anchors;
    }

    private Socket restricted(Socket socket) {
        SSLSocket secure = (SSLSocket) socket;
        if (!protocols.isEmpty()) {
            secure.setEnabledProtocols(common(protocols, secure.getSupportedProtocols()));
        }
        if (!ciphers.isEmpty()) {
            secure.setEnabledCipherSuites(common(ciphers, secure.getSupportedCipherSuites()));
        }
        return secure;
    }

    /** What is wanted, as far as the JVM knows it; if it knows nothing of it, the handshake fails, as it has to. */
    private static String[] common(List<String> wanted, String[] supported) {
        List<String> known = new ArrayList<>(wanted);
        known.retainAll(List.of(supported));
        return known.toArray(String[]::new);
    }

    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose) throws IOException {
        return restricted(delegate.createSocket(socket, host, port, autoClose));
    }

    @Override
    public Socket createSocket() throws IOException {
        return restricted(delegate.createSocket());
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return restricted(delegate.createSocket(host, port));
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return restricted(delegate.createSocket(host, port, localHost, localPort));
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return restricted(delegate.createSocket(host, port));
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return restricted(delegate.createSocket(address, port, localAddress, localPort));
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return delegate.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return delegate.getSupportedCipherSuites();
    }
}

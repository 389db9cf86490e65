package org.tiproxy.net.tls;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.tiproxy.net.tls.SecurityConfig.ServerTls;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;

/** Makes Netty's contexts, with the JDK's TLS. */
final class TlsContexts {
    /** Netty's name for what is checked when a host name is verified: the rules of RFC 2818. */
    private static final String HOST_NAME_RULES = "HTTPS";

    private TlsContexts() {}

    /** A certificate for this machine that nobody can verify. */
    static TlsMaterial selfSigned(List<X509Certificate> authorities) {
        KeyPair keys = CertificateBuilder.newKeyPair();
        try {
            X509Certificate certificate = new CertificateBuilder("tiproxy")
                    .dnsName("localhost")
                    .ipAddress("127.0.0.1")
                    .ipAddress("::1")
                    .selfSigned(keys);
            return new TlsMaterial(List.of(certificate), keys.getPrivate(), authorities);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK can sign with ECDSA", e);
        }
    }

    static SslContext forClients(ServerTls config, TlsMaterial material) throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forServer(
                        material.key(), material.chain().toArray(X509Certificate[]::new))
                .sslProvider(SslProvider.JDK)
                .protocols(config.protocols());
        if (!material.authorities().isEmpty()) {
            X509ExtendedTrustManager chains = trustManager(material.authorities());
            builder.trustManager(
                            config.allowedNames().isEmpty() ? chains : new CommonNames(chains, config.allowedNames()))
                    .clientAuth(config.clientCertificateOptional() ? ClientAuth.OPTIONAL : ClientAuth.REQUIRE);
        }
        return builder.build();
    }

    static SslContext forBackends(SqlTls config, TlsMaterial material) throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .protocols(config.protocols())
                .endpointIdentificationAlgorithm(config.verifyHostname() ? HOST_NAME_RULES : null);
        if (!config.verify()) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (!material.authorities().isEmpty()) {
            builder.trustManager(material.authorities().toArray(X509Certificate[]::new));
        }
        if (material.key() != null) {
            builder.keyManager(material.key(), material.chain().toArray(X509Certificate[]::new));
        }
        return builder.build();
    }

    private static X509ExtendedTrustManager trustManager(List<X509Certificate> authorities) throws SSLException {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (int i = 0; i < authorities.size(); i++) {
                store.setCertificateEntry("ca" + i, authorities.get(i));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager extended) {
                    return extended;
                }
            }
            throw new SSLException("this JVM has no trust manager for X.509");
        } catch (GeneralSecurityException | IOException e) {
            throw new SSLException(e);
        }
    }
}

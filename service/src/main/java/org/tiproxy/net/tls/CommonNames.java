package org.tiproxy.net.tls;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.tiproxy.config.Problem;

/** Trusts the clients that another trust manager trusts, if their certificate has one of some common names. */
final class CommonNames extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager chains;
    private final Set<String> allowed;

    CommonNames(X509ExtendedTrustManager chains, List<String> allowed) {
        this.chains = chains;
        this.allowed = Set.copyOf(allowed);
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        String name = chain[0].getSubjectX500Principal().getName();
        try {
            boolean allows = new LdapName(name)
                    .getRdns().stream()
                            .anyMatch(
                                    part -> part.getType().equalsIgnoreCase("CN") && allowed.contains(part.getValue()));
            if (allows) {
                return;
            }
        } catch (InvalidNameException e) {
            // Then it is none of the names.
        }
        throw new CertificateException(
                Problem.quote(name) + " is none of the common names in " + SecurityConfig.SERVER_ALLOWED_CN);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        chains.checkClientTrusted(chain, authType, engine);
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        chains.checkClientTrusted(chain, authType, socket);
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        chains.checkClientTrusted(chain, authType);
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        chains.checkServerTrusted(chain, authType, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        chains.checkServerTrusted(chain, authType, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        chains.checkServerTrusted(chain, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return chains.getAcceptedIssuers();
    }
}

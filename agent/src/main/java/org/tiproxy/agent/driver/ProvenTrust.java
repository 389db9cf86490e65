package org.tiproxy.agent.driver;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedTrustManager;
import org.tiproxy.inprocess.CertificateProof;

/**
 * Trusts as another one does, or else, as MariaDB's drivers do from 3.4 on, for as long as the login takes: see {@link
 * CertificateProof}.
 */
final class ProvenTrust extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager signed;

    ProvenTrust(X509ExtendedTrustManager signed) {
        this.signed = signed;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        try {
            signed.checkServerTrusted(chain, authType, socket);
        } catch (CertificateException e) {
            SSLSession handshake = socket instanceof SSLSocket secure ? secure.getHandshakeSession() : null;
            // A signed certificate of somebody else is nobody's fault but the other's.
            if (handshake == null || chain.length == 0 || isSigned(chain, authType)) {
                throw e;
            }
            chain[0].checkValidity();
            CertificateProof.owe(handshake, chain[0]);
        }
    }

    private boolean isSigned(X509Certificate[] chain, String authType) {
        try {
            signed.checkServerTrusted(chain, authType);
            return true;
        } catch (CertificateException e) {
            return false;
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        signed.checkServerTrusted(chain, authType, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        signed.checkServerTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        signed.checkClientTrusted(chain, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        signed.checkClientTrusted(chain, authType, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        signed.checkClientTrusted(chain, authType, engine);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return signed.getAcceptedIssuers();
    }
}

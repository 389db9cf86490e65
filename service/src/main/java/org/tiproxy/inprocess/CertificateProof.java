package org.tiproxy.inprocess;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.server.OkPacket;

/**
 * MariaDB's way, from 11.4 on, to do without an authority: the OK of the login carries a hash over what the server stores of
 * the password, the scramble and its certificate, which nobody in the middle could make. So a trust manager may let a
 * certificate through that nobody has signed, and owe the proof; without it the connection is given up before it is used.
 */
public final class CertificateProof {
    private static final String OWED = "org.tiproxy.certificate-proof-owed";
    /** Before the hash in hexadecimal: which hash it is. */
    private static final int SHA_256 = 1;

    private CertificateProof() {}

    /**
     * Lets the certificate through until the login is over.
     *
     * @param handshake the session that is being negotiated
     */
    public static void owe(SSLSession handshake, X509Certificate certificate) throws CertificateEncodingException {
        handshake.putValue(OWED, sha256(certificate.getEncoded()));
    }

    /** Whether something is owed. */
    static boolean isOwed(SSLSession session) {
        return session.getValue(OWED) != null;
    }

    /**
     * Checks what is owed.
     *
     * @throws SSLException if something is, and the OK does not prove it
     */
    static void check(SSLSession session, BackendConnectionInfo info, @Nullable BackendCredentials credentials)
            throws SSLException {
        if (!(session.getValue(OWED) instanceof byte[] fingerprint)) {
            return;
        }
        OkPacket ok = info.ok();
        if (ok == null || credentials == null || !isProof(ok.info(), info, credentials, fingerprint)) {
            throw new SSLHandshakeException("the certificate of " + session.getPeerHost() + ":" + session.getPeerPort()
                    + " is signed by nobody whom the URL trusts, and the server does not prove it by the password: give"
                    + " the driver the server's certificate, or let the account have a password with"
                    + " mysql_native_password");
        }
    }

    private static boolean isProof(
            Bytes said, BackendConnectionInfo info, BackendCredentials credentials, byte[] fingerprint) {
        if (said.isEmpty() || said.at(0) != SHA_256 || credentials.isPasswordEmpty()) {
            return false;
        }
        byte[] expected = sha256(
                credentials.nativeHash().toByteArray(),
                info.greeting().authPluginData().toByteArray(),
                fingerprint);
        byte[] hex = HexFormat.of().withUpperCase().formatHex(expected).getBytes(StandardCharsets.US_ASCII);
        byte[] proof = said.toByteArray();
        return MessageDigest.isEqual(
                hex,
                new String(proof, 1, proof.length - 1, StandardCharsets.US_ASCII)
                        .toUpperCase(java.util.Locale.ROOT)
                        .getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}

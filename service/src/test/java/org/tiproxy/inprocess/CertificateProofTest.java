package org.tiproxy.inprocess;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.Secret;
import org.tiproxy.session.BackendConnectionInfo;
import org.tiproxy.session.BackendCredentials;
import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.server.HandshakeV10;
import org.tiproxy.wire.server.OkPacket;

/** Proofs that a test makes up. */
class CertificateProofTest {
    private static final byte[] FINGERPRINT = {1, 2, 3};
    private static final Bytes SCRAMBLE = Bytes.ofUtf8("abcdefghijklmnopqrst");

    /** A session that owes the proof. */
    private static SSLSession owing() {
        return (SSLSession) Proxy.newProxyInstance(
                CertificateProofTest.class.getClassLoader(),
                new Class<?>[] {SSLSession.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getValue" -> FINGERPRINT;
                    case "getPeerHost" -> "db1";
                    case "getPeerPort" -> 3306;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    /** What somebody who knows this hash of the password can say. */
    private static BackendConnectionInfo provenWith(BackendCredentials credentials) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(credentials.nativeHash().toByteArray());
        digest.update(SCRAMBLE.toByteArray());
        String proof = HexFormat.of().formatHex(digest.digest(FINGERPRINT));
        byte[] info = ("\u0001" + proof).getBytes(StandardCharsets.US_ASCII);
        HandshakeV10 greeting = new HandshakeV10("11.4.5-MariaDB", 1, SCRAMBLE, 0, 45, 2, "mysql_native_password");
        OkPacket ok = new OkPacket(OkPacket.HEADER, 0, 0, 2, 0, Bytes.of(info), List.of());
        return new BackendConnectionInfo(greeting, true, "app", "", 45, 0, ok);
    }

    @Test
    void whoKnowsThePasswordCanProveIt() throws Exception {
        BackendCredentials right = BackendCredentials.ofPassword("app", new Secret("s3cret"));
        BackendConnectionInfo info = provenWith(right);

        assertThatCode(() -> CertificateProof.check(owing(), info, right)).doesNotThrowAnyException();
        assertThatThrownBy(() -> CertificateProof.check(
                        owing(), info, BackendCredentials.ofPassword("app", new Secret("another"))))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("db1:3306");
    }

    @Test
    void anEmptyPasswordIsKnownToEverybodyAndProvesNothing() throws Exception {
        BackendCredentials empty = BackendCredentials.ofPassword("app", new Secret(""));
        BackendConnectionInfo info = provenWith(empty);

        assertThatThrownBy(() -> CertificateProof.check(owing(), info, empty)).isInstanceOf(SSLException.class);
    }
}

package org.tiproxy.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.tiproxy.common.HostPort;
import org.tiproxy.error.ProxyException;
import org.tiproxy.net.tls.SecurityConfig.ServerTls;
import org.tiproxy.net.tls.SecurityConfig.SqlTls;
import org.tiproxy.session.TlsMode;

class ProxyTlsTest {
    private static final List<String> VERSIONS = SecurityConfig.protocolsFrom("1.2");
    private static final SqlTls UNVERIFIED = new SqlTls(TlsFiles.NONE, false, false, VERSIONS);
    private static final ServerTls AUTO = new ServerTls(TlsFiles.NONE, true, false, List.of(), VERSIONS);

    @Test
    void nothingConfiguredIsNoTls() {
        try (ProxyTls tls = ProxyTls.none()) {
            assertThat(tls.clientMode()).isEqualTo(TlsMode.DISABLED);
            assertThat(tls.backendMode()).isEqualTo(TlsMode.DISABLED);
            tls.awaitRsaKeys();
            assertThatThrownBy(tls::rsaKeys).hasMessage("there are no RSA keys");
        }
    }

    @Test
    void whatIsConfiguredIsPreferredUnlessItIsRequired() throws Exception {
        try (ProxyTls tls = ProxyTls.open(new SecurityConfig(AUTO, UNVERIFIED, false, true))) {
            assertThat(tls.clientMode()).isEqualTo(TlsMode.PREFERRED);
            assertThat(tls.backendMode()).isEqualTo(TlsMode.REQUIRED);
        }
        try (ProxyTls tls = ProxyTls.open(new SecurityConfig(AUTO, UNVERIFIED, true, false))) {
            assertThat(tls.clientMode()).isEqualTo(TlsMode.REQUIRED);
            assertThat(tls.backendMode()).isEqualTo(TlsMode.PREFERRED);
        }
    }

    @Test
    void rsaKeysAreMadeOnceWhereAClientMayComeWithoutTlsToABackendWithTls() throws Exception {
        try (ProxyTls tls = ProxyTls.open(new SecurityConfig(null, UNVERIFIED, false, false))) {
            tls.awaitRsaKeys();
            KeyPair keys = tls.rsaKeys();

            assertThat(keys.getPublic().getAlgorithm()).isEqualTo("RSA");
            assertThat(tls.rsaKeys()).isSameAs(keys);
        }
    }

    @Test
    void aFileThatHasGoneSinceTheConfigurationWasReadIsAFailureToStart() {
        TlsFiles files = new TlsFiles(null, null, Path.of("/nowhere/ca.pem"));

        assertThatThrownBy(() ->
                        ProxyTls.open(new SecurityConfig(null, new SqlTls(files, true, true, VERSIONS), false, false)))
                .isInstanceOf(ProxyException.class)
                .hasMessage("[security]: /nowhere/ca.pem: no such file");
    }

    @Test
    void failedHandshakesAreToldWithTheirCause() {
        HostPort backend = new HostPort("db", 3306);

        assertThat(TlsFailure.withClient(new ClosedChannelException()))
                .isEqualTo("TLS with the client failed: the client closed the connection during the handshake");
        assertThat(TlsFailure.withClient(new SSLHandshakeException("Received fatal alert: unknown_ca")))
                .isEqualTo("TLS with the client failed: Received fatal alert: unknown_ca");
        assertThat(TlsFailure.withBackend(backend, new SSLHandshakeException("PKIX path building failed: x")))
                .isEqualTo("TLS with backend db:3306 failed: PKIX path building failed: x"
                        + " (its certificate is not signed by a CA in security.sql-tls.ca)");
        assertThat(TlsFailure.withBackend(backend, new SSLHandshakeException("No name matching db found")))
                .contains("made out to another host", "security.sql-tls.verify-hostname = false");
    }
}

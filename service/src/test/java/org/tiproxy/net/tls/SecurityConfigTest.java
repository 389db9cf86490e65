package org.tiproxy.net.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tiproxy.config.Origin;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.SettingsReader;

class SecurityConfigTest {
    @TempDir
    Path folder;

    private Problems problems = new Problems();

    @BeforeEach
    void writeCertificates() throws Exception {
        TestAuthority authority = new TestAuthority(folder, "ca");
        authority.issue("server", "server");
        authority.issue("other", "other");
        authority.issueExpired("old", "old");
    }

    private SecurityConfig read(boolean mysql, String... lines) throws IOException {
        problems = new Problems();
        Path file = Files.write(folder.resolve("x.toml"), List.of(lines));
        SettingsReader reader = new SettingsReader(SecurityConfig.KEYS, List.of(), Map.of(), problems);
        reader.readFile(file, "x.toml", Origin.ofFlag("--config", ""));
        return SecurityConfig.from(reader.settings(), problems, mysql);
    }

    private SecurityConfig read(String... lines) throws IOException {
        return read(true, lines);
    }

    private List<String> errors() {
        return shown(problems.errors());
    }

    private List<String> warnings() {
        return shown(problems.warnings());
    }

    private List<String> shown(List<Problem> found) {
        return found.stream()
                .map(problem -> problem.toString().replace(folder + "/", ""))
                .toList();
    }

    @Test
    void nothingMeansNoTls() throws IOException {
        assertThat(read()).isEqualTo(SecurityConfig.NONE);
        assertThat(errors()).isEmpty();
    }

    @Test
    void everyKeyReachesItsRecord() throws IOException {
        SecurityConfig config = read(
                "[security]",
                "require-client-tls = true",
                "require-backend-tls = true",
                "[security.server-tls]",
                "cert = 'server.pem'",
                "key = 'server-key.pem'",
                "ca = 'ca.pem'",
                "skip-ca = true",
                "cert-allowed-cn = ['a', 'b']",
                "min-tls-version = '1.3'",
                "[security.sql-tls]",
                "ca = 'ca.pem'",
                "cert = 'other.pem'",
                "key = 'other-key.pem'",
                "verify-hostname = false");

        assertThat(errors()).isEmpty();
        assertThat(warnings()).isEmpty();
        assertThat(config)
                .isEqualTo(new SecurityConfig(
                        new SecurityConfig.ServerTls(
                                new TlsFiles(
                                        folder.resolve("server.pem"),
                                        folder.resolve("server-key.pem"),
                                        folder.resolve("ca.pem")),
                                false,
                                true,
                                List.of("a", "b"),
                                List.of("TLSv1.3")),
                        new SecurityConfig.SqlTls(
                                new TlsFiles(
                                        folder.resolve("other.pem"),
                                        folder.resolve("other-key.pem"),
                                        folder.resolve("ca.pem")),
                                true,
                                false,
                                List.of("TLSv1.3", "TLSv1.2")),
                        true,
                        true));
    }

    @Test
    void allProblemsComeOutTogetherWithKeyAndFile() throws IOException {
        read(
                "[security]",
                "require-client-tls = true",
                "[security.server-tls]",
                "cert = 'server.pem'",
                "key = 'other-key.pem'",
                "ca = 'none.pem'",
                "[security.sql-tls]",
                "ca = 'server-key.pem'",
                "cert = 'x.toml'",
                "key = 'server.pem'");

        assertThat(errors())
                .containsExactly(
                        "x.toml:5: security.server-tls.key: \"other-key.pem\": is not the key of the certificate in"
                                + " server.pem (CN=server)",
                        "x.toml:6: security.server-tls.ca: \"none.pem\": no such file",
                        "x.toml:8: security.sql-tls.ca: \"server-key.pem\": holds no certificate"
                                + " (no line -----BEGIN CERTIFICATE-----); found PRIVATE KEY",
                        "x.toml:9: security.sql-tls.cert: \"x.toml\": holds no certificate"
                                + " (no line -----BEGIN CERTIFICATE-----); it is no PEM file",
                        "x.toml:10: security.sql-tls.key: \"server.pem\": holds no private key"
                                + " (no line -----BEGIN PRIVATE KEY-----); found CERTIFICATE");
    }

    @Test
    void certificateAndKeyNeedEachOther() throws IOException {
        read("security.server-tls.cert = 'server.pem'", "security.sql-tls = {skip-ca = true, key = 'server-key.pem'}");

        assertThat(errors())
                .containsExactly(
                        "x.toml:1: security.server-tls.cert: needs security.server-tls.key too",
                        "x.toml:2: security.sql-tls.key: needs security.sql-tls.cert too");
    }

    @Test
    void anExpiredCertificateIsAWarning() throws IOException {
        read("security.server-tls = {cert = 'old.pem', key = 'old-key.pem'}");

        assertThat(errors()).isEmpty();
        assertThat(warnings())
                .singleElement()
                .asString()
                .startsWith("x.toml:1: security.server-tls.cert: \"old.pem\": the certificate of CN=old expired at 20");
    }

    @Test
    void whatIsRequiredMustBePossible() throws IOException {
        read("security.require-client-tls = true");
        assertThat(errors())
                .containsExactly("x.toml:1: security.require-client-tls: needs a certificate: give"
                        + " security.server-tls.cert and security.server-tls.key, or security.server-tls.auto-certs");

        read("security.server-tls.ca = 'ca.pem'");
        assertThat(errors()).singleElement().asString().contains("needs a certificate of the proxy's own");

        read("security.server-tls = {auto-certs = true, cert-allowed-cn = ['a']}");
        assertThat(errors())
                .containsExactly(
                        "x.toml:1: security.server-tls.cert-allowed-cn: has no effect without security.server-tls.ca");
    }

    @Test
    void whatMeansNothingIsAWarning() throws IOException {
        assertThat(read("security.sql-tls = {cert = 'server.pem', key = 'server-key.pem'}")
                        .sqlTls())
                .isNull();
        assertThat(warnings()).singleElement().asString().contains("TLS is used towards the backend only with");

        SecurityConfig both = read("security.sql-tls = {ca = 'ca.pem', skip-ca = true}");
        assertThat(both.sqlTls().verify()).isTrue();
        assertThat(warnings()).singleElement().asString().contains("has no effect beside security.sql-tls.ca");

        SecurityConfig auto =
                read("security.server-tls = {auto-certs = true, cert = 'server.pem', key = 'server-key.pem'}");
        assertThat(auto.serverTls().autoCerts()).isFalse();
        assertThat(warnings()).singleElement().asString().contains("has no effect beside security.server-tls.cert");
    }

    @Test
    void withoutMySqlTheSectionIsAWarningAndItsFilesAreNotRead() throws IOException {
        assertThat(read(false, "[security.server-tls]", "cert = 'none'", "auto-certs = true"))
                .isEqualTo(SecurityConfig.NONE);

        assertThat(errors()).isEmpty();
        assertThat(warnings())
                .containsExactly("x.toml:2: security.server-tls.cert: [security] has no effect while proxy.protocol is"
                        + " \"tcp\": clients and backend have TLS with each other, or none");
    }

    @Test
    void oldVersionsAreRefused() throws IOException {
        read("security.server-tls.min-tls-version = '1.1'");

        assertThat(errors())
                .containsExactly("x.toml:1: security.server-tls.min-tls-version: \"1.1\": expected 1.2 or 1.3");
    }
}

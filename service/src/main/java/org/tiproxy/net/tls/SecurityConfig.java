package org.tiproxy.net.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/**
 * TLS with clients and with the backend.
 *
 * @param serverTls TLS as it is offered to clients; null if it is not
 * @param sqlTls TLS as it is used towards the backend; null if it is not
 * @param requireClientTls whether clients without TLS are refused
 * @param requireBackendTls whether a backend without TLS is refused
 */
public record SecurityConfig(
        @Nullable ServerTls serverTls, @Nullable SqlTls sqlTls, boolean requireClientTls, boolean requireBackendTls) {

    /**
     * TLS as it is offered to clients.
     *
     * @param files certificate and key; authorities if clients have certificates too
     * @param autoCerts whether the certificate is made at the start, in place of files
     * @param clientCertificateOptional whether a client may come without certificate although there are authorities
     * @param allowedNames the common names that a client's certificate may have; empty for any
     * @param protocols TLS versions, the best first
     */
    public record ServerTls(
            TlsFiles files,
            boolean autoCerts,
            boolean clientCertificateOptional,
            List<String> allowedNames,
            List<String> protocols) {}

    /**
     * TLS as it is used towards the backend.
     *
     * @param files authorities; certificate and key if the backend wants to see them. Without authorities the JVM's own
     *     are trusted
     * @param verify whether the backend's certificate must be signed by an authority that is trusted
     * @param verifyHostname whether it must also be made out to the backend's host
     * @param protocols TLS versions, the best first
     */
    public record SqlTls(TlsFiles files, boolean verify, boolean verifyHostname, List<String> protocols) {}

    /** TLS on neither side. */
    public static final SecurityConfig NONE = new SecurityConfig(null, null, false, false);

    static final String TLS_1_2 = "1.2";
    static final String TLS_1_3 = "1.3";

    static final Key<Path> SERVER_CERT = Key.path(
                    "security.server-tls.cert",
                    "a PEM file with certificates",
                    "the certificate that clients see, followed by those between it and its CA; with it, TLS is offered"
                            + " to clients")
            .reloadable();
    static final Key<Path> SERVER_KEY = Key.path(
                    "security.server-tls.key",
                    "a PEM file with a private key",
                    "the private key that belongs to it, without a password")
            .reloadable();
    static final Key<Path> SERVER_CA = Key.path(
                    "security.server-tls.ca",
                    "a PEM file with certificates",
                    "the CAs of clients' certificates; with it, a client must have a certificate that one of them signed")
            .reloadable();
    static final Key<Boolean> SERVER_SKIP_CA = Key.bool(
                    "security.server-tls.skip-ca",
                    "whether a client may come without a certificate all the same; one that it sends is verified")
            .byDefault("false");
    static final Key<List<String>> SERVER_ALLOWED_CN = Key.strings(
                    "security.server-tls.cert-allowed-cn",
                    "the common names that a client's certificate may have; empty = any")
            .byDefault("");
    static final Key<Boolean> SERVER_AUTO_CERTS = Key.bool(
                    "security.server-tls.auto-certs",
                    "whether a certificate that nobody can verify is made at each start, for tests; not with cert")
            .byDefault("false");
    static final Key<String> SERVER_MIN_VERSION = Key.word(
                    "security.server-tls.min-tls-version",
                    List.of(TLS_1_2, TLS_1_3),
                    "the oldest version of TLS that clients may use")
            .byDefault(TLS_1_2);

    static final Key<Path> SQL_CA = Key.path(
                    "security.sql-tls.ca",
                    "a PEM file with certificates",
                    "the CAs of the backend's certificate; with it, TLS is used towards the backend")
            .reloadable();
    static final Key<Boolean> SQL_SKIP_CA = Key.bool(
                    "security.sql-tls.skip-ca",
                    "whether TLS is used towards the backend without verifying its certificate; has no effect beside ca")
            .byDefault("false");
    static final Key<Boolean> SQL_VERIFY_HOSTNAME = Key.bool(
                    "security.sql-tls.verify-hostname",
                    "whether the backend's certificate must be made out to its host in backend.instances")
            .byDefault("true");
    static final Key<Path> SQL_CERT = Key.path(
                    "security.sql-tls.cert",
                    "a PEM file with certificates",
                    "the certificate that the backend sees, if it wants one")
            .reloadable();
    static final Key<Path> SQL_KEY = Key.path(
                    "security.sql-tls.key",
                    "a PEM file with a private key",
                    "the private key that belongs to it, without a password")
            .reloadable();
    static final Key<String> SQL_MIN_VERSION = Key.word(
                    "security.sql-tls.min-tls-version",
                    List.of(TLS_1_2, TLS_1_3),
                    "the oldest version of TLS that the backend may use")
            .byDefault(TLS_1_2);

    static final Key<Boolean> REQUIRE_CLIENT_TLS = Key.bool(
                    "security.require-client-tls",
                    "whether clients without TLS are refused; needs [security.server-tls]")
            .byDefault("false");
    static final Key<Boolean> REQUIRE_BACKEND_TLS = Key.bool(
                    "security.require-backend-tls",
                    "whether a backend without TLS is refused; without sql-tls.ca the CAs that Java knows are trusted")
            .byDefault("false");

    /** All keys of this section. */
    public static final List<Key<?>> KEYS = List.of(
            SERVER_CERT,
            SERVER_KEY,
            SERVER_CA,
            SERVER_SKIP_CA,
            SERVER_ALLOWED_CN,
            SERVER_AUTO_CERTS,
            SERVER_MIN_VERSION,
            SQL_CA,
            SQL_SKIP_CA,
            SQL_VERIFY_HOSTNAME,
            SQL_CERT,
            SQL_KEY,
            SQL_MIN_VERSION,
            REQUIRE_CLIENT_TLS,
            REQUIRE_BACKEND_TLS);

    /**
     * Reads the section, and the files that it names.
     *
     * @param understandsMySql whether the proxy does; otherwise TLS passes through it, and the section means nothing
     */
    public static SecurityConfig from(Settings settings, Problems problems, boolean understandsMySql) {
        if (!understandsMySql) {
            List<Key<?>> given = KEYS.stream()
                    .<Key<?>>map(key -> key)
                    .filter(settings::isSet)
                    .toList();
            if (!given.isEmpty()) {
                problems.warning(
                        settings.origin(given.get(0)),
                        "[security] has no effect while proxy.protocol is \"tcp\": clients and backend have TLS with"
                                + " each other, or none");
            }
            return NONE;
        }
        return new SecurityRules(settings, problems).read();
    }

    /** The versions from this one on, the best first. */
    static List<String> protocolsFrom(String version) {
        return Stream.of(TLS_1_3, TLS_1_2)
                .filter(one -> one.compareTo(version) >= 0)
                .map(one -> "TLSv" + one)
                .toList();
    }
}

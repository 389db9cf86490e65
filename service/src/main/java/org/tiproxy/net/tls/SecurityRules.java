package org.tiproxy.net.tls;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.tiproxy.config.Key;
import org.tiproxy.config.Problem;
import org.tiproxy.config.Problems;
import org.tiproxy.config.Settings;

/** What the keys of {@code [security]} demand of each other and of the files they name. */
final class SecurityRules {
    private final Settings settings;
    private final Problems problems;

    SecurityRules(Settings settings, Problems problems) {
        this.settings = settings;
        this.problems = problems;
    }

    SecurityConfig read() {
        SecurityConfig.@Nullable ServerTls serverTls = serverTls();
        boolean requireClientTls = settings.get(SecurityConfig.REQUIRE_CLIENT_TLS);
        if (requireClientTls && serverTls == null && settings.isMissing(SecurityConfig.SERVER_CERT)) {
            problems.error(
                    settings.origin(SecurityConfig.REQUIRE_CLIENT_TLS),
                    "needs a certificate: give " + SecurityConfig.SERVER_CERT + " and " + SecurityConfig.SERVER_KEY
                            + ", or " + SecurityConfig.SERVER_AUTO_CERTS);
        }
        return new SecurityConfig(
                serverTls, sqlTls(), requireClientTls, settings.get(SecurityConfig.REQUIRE_BACKEND_TLS));
    }

    private SecurityConfig.@Nullable ServerTls serverTls() {
        TlsFiles files = files(SecurityConfig.SERVER_CERT, SecurityConfig.SERVER_KEY, SecurityConfig.SERVER_CA);
        boolean hasCertificate = settings.isSet(SecurityConfig.SERVER_CERT);
        boolean autoCerts = settings.get(SecurityConfig.SERVER_AUTO_CERTS);
        if (hasCertificate && autoCerts) {
            problems.warning(
                    settings.origin(SecurityConfig.SERVER_AUTO_CERTS),
                    "has no effect beside " + SecurityConfig.SERVER_CERT);
        }
        if (!settings.isSet(SecurityConfig.SERVER_CA)) {
            for (Key<?> key : new Key<?>[] {SecurityConfig.SERVER_SKIP_CA, SecurityConfig.SERVER_ALLOWED_CN}) {
                if (settings.isSet(key)) {
                    report(
                            // A list of names that nobody looks at would be worse than none.
                            key == SecurityConfig.SERVER_ALLOWED_CN
                                    && !settings.get(SecurityConfig.SERVER_ALLOWED_CN)
                                            .isEmpty(),
                            key,
                            "has no effect without " + SecurityConfig.SERVER_CA);
                }
            }
        }
        if (!hasCertificate && !autoCerts) {
            if (settings.isSet(SecurityConfig.SERVER_CA)) {
                report(
                        true,
                        SecurityConfig.SERVER_CA,
                        "needs a certificate of the proxy's own: give " + SecurityConfig.SERVER_CERT + " and "
                                + SecurityConfig.SERVER_KEY + ", or " + SecurityConfig.SERVER_AUTO_CERTS);
            }
            return null;
        }
        check(files, SecurityConfig.SERVER_CERT, SecurityConfig.SERVER_KEY, SecurityConfig.SERVER_CA);
        return new SecurityConfig.ServerTls(
                files,
                autoCerts && !hasCertificate,
                settings.get(SecurityConfig.SERVER_SKIP_CA),
                settings.get(SecurityConfig.SERVER_ALLOWED_CN),
                SecurityConfig.protocolsFrom(settings.get(SecurityConfig.SERVER_MIN_VERSION)));
    }

    private SecurityConfig.@Nullable SqlTls sqlTls() {
        TlsFiles files = files(SecurityConfig.SQL_CERT, SecurityConfig.SQL_KEY, SecurityConfig.SQL_CA);
        boolean hasAuthorities = settings.isSet(SecurityConfig.SQL_CA);
        boolean skip = settings.get(SecurityConfig.SQL_SKIP_CA);
        if (hasAuthorities && skip) {
            report(
                    false,
                    SecurityConfig.SQL_SKIP_CA,
                    "has no effect beside " + SecurityConfig.SQL_CA
                            + ": the backend's certificate is verified; remove one of the two");
        }
        if (!hasAuthorities && !skip && !settings.get(SecurityConfig.REQUIRE_BACKEND_TLS)) {
            if (settings.isSet(SecurityConfig.SQL_CERT)) {
                report(
                        false,
                        SecurityConfig.SQL_CERT,
                        "has no effect: TLS is used towards the backend only with " + SecurityConfig.SQL_CA + ", "
                                + SecurityConfig.SQL_SKIP_CA + " or " + SecurityConfig.REQUIRE_BACKEND_TLS);
            }
            return null;
        }
        check(files, SecurityConfig.SQL_CERT, SecurityConfig.SQL_KEY, SecurityConfig.SQL_CA);
        boolean verify = hasAuthorities || !skip;
        return new SecurityConfig.SqlTls(
                files,
                verify,
                verify && settings.get(SecurityConfig.SQL_VERIFY_HOSTNAME),
                SecurityConfig.protocolsFrom(settings.get(SecurityConfig.SQL_MIN_VERSION)));
    }

    private TlsFiles files(Key<Path> certificate, Key<Path> key, Key<Path> authorities) {
        if (settings.isSet(certificate) && settings.isMissing(key)) {
            report(true, certificate, "needs " + key + " too");
        }
        if (settings.isSet(key) && settings.isMissing(certificate)) {
            report(true, key, "needs " + certificate + " too");
        }
        return new TlsFiles(settings.find(certificate), settings.find(key), settings.find(authorities));
    }

    private void check(TlsFiles files, Key<Path> certificate, Key<Path> key, Key<Path> authorities) {
        TlsMaterial.read(files, Instant.now(), finding -> {
            Key<Path> blamed = switch (finding.role()) {
                case CERTIFICATE -> certificate;
                case KEY -> key;
                case AUTHORITIES -> authorities;
            };
            report(
                    finding.isError(),
                    blamed,
                    Problem.quote(String.valueOf(files.file(finding.role()))) + ": " + finding.phrase());
        });
    }

    private void report(boolean isError, Key<?> key, String message) {
        if (isError) {
            problems.error(settings.origin(key), message);
        } else {
            problems.warning(settings.origin(key), message);
        }
    }
}

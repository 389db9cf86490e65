package org.tiproxy.agent.driver;

import static org.tiproxy.agent.driver.WovenMethod.method;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.driver.Advice.Effect;
import org.tiproxy.agent.driver.Advice.Subject;
import org.tiproxy.agent.driver.TlsRules.Trust;
import org.tiproxy.agent.driver.WovenMethod.Pattern;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.session.TlsMode;

/** MariaDB Connector/J from 3.0 on. What looks for TLS in the greeting is woven out with the step to TLS itself. */
final class MariaDb {
    static final String FAMILY = "mariadb";
    static final String SOCKET = "mariadb.socket";
    static final String TLS = "mariadb.tls";

    private static final String HELPER = "org.mariadb.jdbc.client.impl.ConnectionHelper";
    private static final String CLIENT = "org.mariadb.jdbc.client.impl.StandardClient";

    private static final Pattern SSL_WRAPPER =
            method("javax.net.ssl.SSLSocket", "sslWrapper").taking(1, "java.net.Socket");

    static final List<WovenMethod> METHODS = List.of(
            new WovenMethod(
                    HELPER,
                    SOCKET,
                    method("java.net.Socket", "createSocket").taking(2),
                    Advice.of(Effect.ANSWER, Subject.NOTHING).withArguments()),
            // Up to 3.3, and from 3.4 to 3.5.1.
            new WovenMethod(HELPER, TLS, SSL_WRAPPER, Advice.of(Effect.SKIP, Subject.SECOND_ARGUMENT)),
            new WovenMethod(CLIENT, TLS, SSL_WRAPPER, Advice.of(Effect.SKIP, Subject.SECOND_ARGUMENT)),
            // Later ones.
            new WovenMethod(
                    CLIENT,
                    TLS,
                    method("javax.net.ssl.SSLSocket", "handleSSLConnection").taking(2),
                    Advice.ofField(Effect.SKIP, "socket")));

    private MariaDb() {}

    /**
     * Reads what a connection wants.
     *
     * @param arguments the driver's configuration and the address
     */
    static DriverRequest read(@Nullable Object[] arguments) throws Bypass {
        Object configuration = Objects.requireNonNull(arguments[0]);
        Object hostAddress = Objects.requireNonNull(arguments[1]);
        DriverOptions options = DriverOptions.ofMethods(configuration);
        if (!(DriverOptions.field(hostAddress, "port") instanceof Integer port)) {
            throw new Bypass("unknown driver", configuration.getClass().getName());
        }
        DriverOptions address = DriverOptions.ofFields(hostAddress);
        for (DriverOptions where : List.of(address, options)) {
            Bypass.ifSet(where, "pipe", "named pipe");
            Bypass.ifSet(where, "localSocket", "unix socket");
        }
        Bypass.ifSet(options, "socketFactory", "socketFactory");
        Bypass.ifSet(options, "localSocketAddress", "localSocketAddress");
        if (DriverOptions.call(configuration, "credentialPlugin") != null) {
            throw new Bypass("credential plugin", Objects.toString(options.text("credentialType"), ""));
        }
        Bypass.ifSet(options, "servicePrincipalName", "Kerberos");
        Bypass.ifSet(options, "restrictedAuth", "authentication plugin");
        String host = address.text("host");
        String password = Objects.toString(options.get("password"), "");
        String user = options.text("user");
        String sslMode = address.text("sslMode");
        TlsRules tls = tls(options, sslMode != null ? sslMode : options.text("sslMode"));
        return new DriverRequest(
                FAMILY,
                host == null ? null : new HostPort(host, port),
                user != null ? user : MariaDb2.systemUser(),
                new Secret(password),
                tls.toBackend(),
                DriverRequest.keyRetrieval(options, "serverRsaPublicKeyFile"),
                false);
    }

    private static TlsRules tls(DriverOptions options, @Nullable String mode) throws Bypass {
        TlsStore trustStore = MariaDb2.trustStore(options);
        String certificate = options.text("serverSslCert");
        String systemTrust = options.text("fallbackToSystemTrustStore");
        // From 3.4 on, the password vouches for a certificate that no authority has signed.
        boolean proven = systemTrust != null
                && options.isSet("deferCertificateValidation", true)
                && trustStore == null
                && certificate == null;
        Trust trust = proven ? Trust.SIGNED_OR_PROVEN : Trust.SIGNED;
        TlsRules rules = switch (Objects.toString(mode, "DISABLE")) {
            case "DISABLE" -> TlsRules.NONE;
            case "TRUST" -> TlsRules.of(TlsMode.REQUIRED, Trust.ANY);
            case "VERIFY_CA" -> TlsRules.of(TlsMode.REQUIRED, trust);
            case "VERIFY_FULL" -> TlsRules.of(TlsMode.REQUIRED, trust).withHostname();
            case "ALLOW" -> TlsRules.of(TlsMode.PREFERRED, trust).withHostname();
            default -> throw new Bypass("unknown sslMode", String.valueOf(mode));
        };
        if (rules.isNone()) {
            return rules;
        }
        Bypass.ifSet(options, "tlsSocketType", "own TLS provider");
        return rules.with(new TlsRules.Files(
                        trustStore,
                        certificate,
                        MariaDb2.keyStore(options),
                        MariaDb2.keyPassword(options),
                        options.isSet("fallbackToSystemTrustStore", true),
                        options.isSet("fallbackToSystemKeyStore", true)))
                .restricted(options.text("enabledSslProtocolSuites"), options.text("enabledSslCipherSuites"));
    }
}

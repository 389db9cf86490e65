package org.tiproxy.agent.driver;

import static org.tiproxy.agent.driver.WovenMethod.method;

import java.nio.charset.Charset;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.driver.Advice.Effect;
import org.tiproxy.agent.driver.Advice.Subject;
import org.tiproxy.agent.driver.TlsRules.Trust;
import org.tiproxy.common.Secret;
import org.tiproxy.session.TlsMode;

/** MariaDB Connector/J from 2.4 to 2.7. The options have everything but the port, which the socket is told later. */
final class MariaDb2 {
    static final String FAMILY = "mariadb-2";
    static final String SOCKET = "mariadb-2.socket";
    static final String TLS = "mariadb-2.tls";

    static final List<WovenMethod> METHODS = List.of(
            new WovenMethod(
                    "org.mariadb.jdbc.internal.util.Utils",
                    SOCKET,
                    // The options' class has moved between versions.
                    method("java.net.Socket", "createSocket").taking(2).taking(1, "java.lang.String"),
                    Advice.of(Effect.ANSWER, Subject.NOTHING).withArguments()),
            new WovenMethod(
                    "org.mariadb.jdbc.internal.protocol.AbstractConnectProtocol",
                    TLS,
                    method("void", "sslWrapper").taking(1, "java.net.Socket"),
                    Advice.of(Effect.SKIP, Subject.SECOND_ARGUMENT)));

    private MariaDb2() {}

    /** Reads what a connection wants. */
    static DriverRequest read(@Nullable Object[] arguments) throws Bypass {
        Object settings = Objects.requireNonNull(arguments[0]);
        if (!settings.getClass().getName().endsWith(".Options")) {
            throw new Bypass("unknown driver", settings.getClass().getName());
        }
        DriverOptions options = DriverOptions.ofFields(settings);
        Bypass.ifSet(options, "pipe", "named pipe");
        Bypass.ifSet(options, "localSocket", "unix socket");
        Bypass.ifSet(options, "sharedMemory", "shared memory");
        Bypass.ifSet(options, "socketFactory", "socketFactory");
        Bypass.ifSet(options, "localSocketAddress", "localSocketAddress");
        Bypass.ifSet(options, "credentialType", "credential plugin");
        Bypass.ifSet(options, "servicePrincipalName", "Kerberos");
        String password = Objects.toString(options.get("password"), "");
        String encoding = options.text("passwordCharacterEncoding");
        Bypass.ifNotUtf8(
                password, encoding != null ? encoding : Charset.defaultCharset().name());
        String user = options.text("user");
        TlsRules tls = tls(options);
        return new DriverRequest(
                FAMILY,
                null,
                user != null ? user : systemUser(),
                new Secret(password),
                tls.toBackend(),
                DriverRequest.keyRetrieval(options, "serverRsaPublicKeyFile"),
                tls.isDemanded());
    }

    /** Without a user, the driver takes the one who runs the program. */
    static String systemUser() {
        return System.getProperty("user.name", "");
    }

    private static TlsRules tls(DriverOptions options) throws Bypass {
        if (!options.isSet("useSsl", false)) {
            return TlsRules.NONE;
        }
        String plugin = options.text("tlsSocketType");
        if (plugin != null && !plugin.equalsIgnoreCase("DEFAULT")) {
            throw new Bypass("own TLS provider", "tlsSocketType=" + plugin);
        }
        boolean trusting = options.isSet("trustServerCertificate", false);
        TlsRules rules = TlsRules.of(TlsMode.REQUIRED, trusting ? Trust.ANY : Trust.SIGNED);
        if (!trusting && !options.isSet("disableSslHostnameVerification", false)) {
            rules = rules.withHostname();
        }
        return rules.with(new TlsRules.Files(
                        trustStore(options),
                        options.text("serverSslCert"),
                        keyStore(options),
                        keyPassword(options),
                        true,
                        true))
                .restricted(options.text("enabledSslProtocolSuites"), options.text("enabledSslCipherSuites"));
    }

    static @Nullable Secret keyPassword(DriverOptions options) {
        String password = options.get("keyPassword");
        return password == null ? null : new Secret(password);
    }

    static @Nullable TlsStore trustStore(DriverOptions options) {
        String store = options.text("trustStore");
        return store == null
                ? null
                : new TlsStore(store, options.text("trustStoreType"), options.get("trustStorePassword"));
    }

    static @Nullable TlsStore keyStore(DriverOptions options) {
        String store = options.text("keyStore");
        return store == null
                ? null
                : new TlsStore(store, options.text("keyStoreType"), options.get("keyStorePassword"));
    }
}

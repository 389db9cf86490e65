package org.tiproxy.agent.driver;

import static org.tiproxy.agent.driver.WovenMethod.method;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.driver.Advice.Effect;
import org.tiproxy.agent.driver.Advice.Subject;
import org.tiproxy.agent.driver.TlsRules.Trust;
import org.tiproxy.common.HostPort;
import org.tiproxy.common.Secret;
import org.tiproxy.session.TlsMode;

/**
 * MySQL Connector/J from 8.0 on.
 *
 * <p>The session knows who logs in, the socket's factory does not: so the session leaves it to the thread. The X protocol
 * uses the same factory without such a session, and keeps its own sockets.
 */
final class ConnectorJ {
    static final String FAMILY = "connector-j";
    static final String CONNECT = "connector-j.connect";
    static final String SOCKET = "connector-j.socket";
    static final String TLS = "connector-j.tls";
    static final String CHANGE_USER = "connector-j.change-user";

    private static final String PROTOCOL = "com.mysql.cj.protocol.a.NativeProtocol";
    private static final String SESSION = "com.mysql.cj.NativeSession";

    static final List<WovenMethod> METHODS = List.of(
            new WovenMethod(
                    SESSION,
                    CONNECT,
                    method("void", "connect").taking(6).taking(1, "java.lang.String"),
                    Advice.of(Effect.AROUND, Subject.THIS).withArguments()),
            new WovenMethod(
                    PROTOCOL,
                    CHANGE_USER,
                    method("void", "changeUser").taking("java.lang.String", "java.lang.String", "java.lang.String"),
                    Advice.of(Effect.BEFORE, Subject.THIS).withArguments()),
            new WovenMethod(
                    "com.mysql.cj.protocol.StandardSocketFactory",
                    SOCKET,
                    method("java.net.Socket", "createSocket").taking(1),
                    Advice.of(Effect.ANSWER, Subject.NOTHING).withArguments()),
            // Up to 8.0.20 it has a parameter.
            new WovenMethod(
                    PROTOCOL,
                    TLS,
                    method("void", "negotiateSSLConnection").notPrivate(),
                    // The thread is in the method that has made the socket.
                    Advice.of(Effect.SKIP, Subject.NOTHING)));

    private static final String[] PASSWORDS_OF_MORE_FACTORS = {"password1", "password2", "password3"};

    private ConnectorJ() {}

    /**
     * Reads what a session wants.
     *
     * @param session the driver's session
     * @param arguments those of its method {@code connect}
     */
    static DriverRequest read(Object session, @Nullable Object[] arguments) throws Bypass {
        Object properties = DriverOptions.call(session, "getPropertySet");
        if (properties == null) {
            throw new Bypass("unknown driver", session.getClass().getName() + " has no getPropertySet()");
        }
        DriverOptions options = name -> property(properties, name);
        String factory = options.text("socketFactory");
        if (factory != null && !factory.endsWith(".StandardSocketFactory")) {
            throw new Bypass("socketFactory", factory);
        }
        Bypass.ifSet(options, "localSocketAddress", "localSocketAddress");
        ConnectorJ5.checkAuthentication(options);
        for (String further : PASSWORDS_OF_MORE_FACTORS) {
            Bypass.ifSetSecretly(options, further, "multi-factor authentication");
        }
        String password = Objects.toString(arguments[2], "");
        Bypass.ifNotUtf8(password, options.text("passwordCharacterEncoding"));

        TlsRules tls = tls(properties, options);
        return new DriverRequest(
                FAMILY,
                address(arguments[0]),
                Objects.toString(arguments[1], ""),
                new Secret(password),
                tls.toBackend(),
                DriverRequest.keyRetrieval(options, "serverRSAPublicKeyFile"),
                tls.isDemanded());
    }

    private static @Nullable HostPort address(@Nullable Object hostInfo) {
        if (hostInfo == null) {
            return null;
        }
        return DriverOptions.call(hostInfo, "getHost") instanceof String host
                        && DriverOptions.call(hostInfo, "getPort") instanceof Integer port
                        && port >= 0
                        && port <= 65_535
                ? new HostPort(host, port)
                : null;
    }

    /** A property of any version: 8.0.11 has other methods for it. */
    private static @Nullable Object runtimeProperty(Object properties, String name) {
        Object property = DriverOptions.call(properties, "getProperty", name);
        return property != null ? property : DriverOptions.call(properties, "getReadableProperty", name);
    }

    private static @Nullable String property(Object properties, String name) {
        Object property = runtimeProperty(properties, name);
        return property != null && DriverOptions.call(property, "getStringValue") instanceof String value
                ? value
                : null;
    }

    private static TlsRules tls(Object properties, DriverOptions options) throws Bypass {
        String mode = options.text("sslMode");
        if (mode == null) {
            Object useSsl = runtimeProperty(properties, "useSSL");
            boolean explicit = useSsl != null && Boolean.TRUE.equals(DriverOptions.call(useSsl, "isExplicitlySet"));
            return ConnectorJ5.tls(options, explicit);
        }
        TlsRules rules = switch (mode) {
            case "DISABLED" -> TlsRules.NONE;
            case "PREFERRED" -> TlsRules.of(TlsMode.PREFERRED, Trust.DATED);
            case "REQUIRED" -> TlsRules.of(TlsMode.REQUIRED, Trust.DATED);
            case "VERIFY_CA" -> TlsRules.of(TlsMode.REQUIRED, Trust.SIGNED);
            case "VERIFY_IDENTITY" ->
                TlsRules.of(TlsMode.REQUIRED, Trust.SIGNED).withHostname();
            default -> throw new Bypass("unknown sslMode", mode);
        };
        if (rules.isNone()) {
            return rules;
        }
        Bypass.ifSet(options, "sslContextProvider", "own TLS provider");
        Bypass.ifSet(options, "keyStoreProvider", "own TLS provider");
        Bypass.ifSet(options, "KeyManagerFactoryProvider", "own TLS provider");
        Bypass.ifSet(options, "TrustManagerFactoryProvider", "own TLS provider");
        if (options.isSet("fipsCompliantJsse", false)) {
            rules = rules.with(Trust.SIGNED);
        }
        boolean systemTrust = options.isSet("fallbackToSystemTrustStore", true);
        boolean systemKeys = options.isSet("fallbackToSystemKeyStore", true);
        return rules.with(ConnectorJ5.files(options, systemTrust, systemKeys))
                .restricted(
                        firstOf(options, "tlsVersions", "enabledTLSProtocols"),
                        firstOf(options, "tlsCiphersuites", "enabledSSLCipherSuites"));
    }

    private static @Nullable String firstOf(DriverOptions options, String name, String formerName) {
        String value = options.text(name);
        return value != null ? value : options.text(formerName);
    }
}

package org.tiproxy.agent.driver;

import static org.tiproxy.agent.driver.WovenMethod.method;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.tiproxy.agent.driver.Advice.Effect;
import org.tiproxy.agent.driver.Advice.Subject;
import org.tiproxy.agent.driver.TlsRules.Trust;
import org.tiproxy.common.Secret;
import org.tiproxy.session.TlsMode;

/** MySQL Connector/J 5.1, whose properties have everything. 5.1.6 and older have no method that makes the socket. */
final class ConnectorJ5 {
    static final String FAMILY = "connector-j-5.1";
    static final String SOCKET = "connector-j-5.1.socket";
    static final String TLS = "connector-j-5.1.tls";
    static final String CHANGE_USER = "connector-j-5.1.change-user";

    private static final String IO = "com.mysql.jdbc.MysqlIO";

    static final List<WovenMethod> METHODS = List.of(
            new WovenMethod(
                    "com.mysql.jdbc.StandardSocketFactory",
                    SOCKET,
                    method("java.net.Socket", "createSocket").taking("java.util.Properties"),
                    Advice.of(Effect.ANSWER, Subject.NOTHING).withArguments()),
            new WovenMethod(
                    IO,
                    TLS,
                    method("void", "negotiateSSLConnection").taking(4),
                    Advice.ofField(Effect.SKIP, "mysqlConnection")),
            new WovenMethod(
                    IO,
                    CHANGE_USER,
                    method("void", "changeUser").taking("java.lang.String", "java.lang.String", "java.lang.String"),
                    Advice.ofField(Effect.BEFORE, "mysqlConnection").withArguments()));

    /** Those whose answer is made of the password alone; class names end with the name of the plugin in words. */
    private static final List<String> PLUGINS = List.of(
            "mysql_native_password",
            "caching_sha2_password",
            "sha256_password",
            "mysqlnativepasswordplugin",
            "cachingsha2passwordplugin",
            "sha256passwordplugin");

    private ConnectorJ5() {}

    /** Reads what a connection wants. */
    static DriverRequest read(Properties properties) throws Bypass {
        DriverOptions options = DriverOptions.of(properties);
        String factory = options.text("socketFactory");
        if (factory != null && !factory.endsWith(".StandardSocketFactory")) {
            throw new Bypass("socketFactory", factory);
        }
        Bypass.ifSet(options, "localSocketAddress", "localSocketAddress");
        checkAuthentication(options);
        String password = Objects.toString(options.get("password"), "");
        String encoding = options.text("passwordCharacterEncoding");
        // Without one, it is the connection's, which may be the server's.
        String fallback = Objects.toString(options.text("characterEncoding"), "the server's");
        Bypass.ifNotUtf8(password, encoding != null ? encoding : fallback);

        TlsRules tls = tls(options, options.text("useSSL") != null)
                .restricted(options.text("enabledTLSProtocols"), options.text("enabledSSLCipherSuites"));
        return new DriverRequest(
                FAMILY,
                null,
                Objects.toString(options.get("user"), ""),
                new Secret(password),
                tls.toBackend(),
                DriverRequest.keyRetrieval(options, "serverRSAPublicKeyFile"),
                tls.isDemanded());
    }

    /** Only plugins that turn nothing but the password into an answer. */
    static void checkAuthentication(DriverOptions options) throws Bypass {
        Bypass.ifSet(options, "authenticationPlugins", "authentication plugin");
        String plugin = options.text("defaultAuthenticationPlugin");
        if (plugin != null && PLUGINS.stream().noneMatch(plugin.toLowerCase(Locale.ROOT)::endsWith)) {
            throw new Bypass("authentication plugin", "defaultAuthenticationPlugin=" + plugin);
        }
        // Whichever it is: the engine has more plugins than are named here, and would let a server ask for them.
        Bypass.ifSet(options, "disabledAuthenticationPlugins", "authentication plugin");
    }

    /** The three options that were there before {@code sslMode}. */
    static TlsRules tls(DriverOptions options, boolean explicit) {
        if (!options.isSet("useSSL", false)) {
            // The driver takes TLS from newer servers unless it was told not to.
            return explicit
                    ? TlsRules.NONE
                    : TlsRules.of(TlsMode.PREFERRED, Trust.DATED).with(files(options, true, true));
        }
        boolean required = options.isSet("requireSSL", false);
        boolean verified = options.isSet("verifyServerCertificate", true);
        return TlsRules.of(required ? TlsMode.REQUIRED : TlsMode.PREFERRED, verified ? Trust.SIGNED : Trust.DATED)
                .with(files(options, true, true));
    }

    static TlsRules.Files files(DriverOptions options, boolean systemTrust, boolean systemKeys) {
        return new TlsRules.Files(
                store(options, "trustCertificateKeyStore"),
                null,
                store(options, "clientCertificateKeyStore"),
                null,
                systemTrust,
                systemKeys);
    }

    private static @Nullable TlsStore store(DriverOptions options, String prefix) {
        String url = options.text(prefix + "Url");
        return url == null ? null : new TlsStore(url, options.text(prefix + "Type"), options.get(prefix + "Password"));
    }
}

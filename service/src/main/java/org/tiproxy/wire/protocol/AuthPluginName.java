package org.tiproxy.wire.protocol;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The authentication plugins whose arithmetic the proxy knows; any other one can still pass through it. */
public enum AuthPluginName {
    /** SHA-1 scramble; the default of MariaDB and of MySQL before 8.0. */
    MYSQL_NATIVE_PASSWORD("mysql_native_password"),
    /** SHA-256 scramble if the server has the password cached, otherwise the password over TLS or RSA; MySQL 8.0. */
    CACHING_SHA2_PASSWORD("caching_sha2_password"),
    /** The password as it is: only over TLS. */
    MYSQL_CLEAR_PASSWORD("mysql_clear_password"),
    /** Ed25519 signature; MariaDB. */
    CLIENT_ED25519("client_ed25519"),
    /** A token that the server itself has issued; TiDB. */
    TIDB_SESSION_TOKEN("tidb_session_token");

    private final String text;

    AuthPluginName(String text) {
        this.text = text;
    }

    /** The name in the packets. */
    public String text() {
        return text;
    }

    /** The plugin of a name in a packet; null if it is another one. */
    public static @Nullable AuthPluginName of(String text) {
        return Arrays.stream(values())
                .filter(plugin -> plugin.text.equals(text))
                .findFirst()
                .orElse(null);
    }
}

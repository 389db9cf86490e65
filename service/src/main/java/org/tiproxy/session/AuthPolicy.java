package org.tiproxy.session;

import org.jspecify.annotations.Nullable;
import org.tiproxy.error.ErrorSource;
import org.tiproxy.wire.auth.AuthPlugin;
import org.tiproxy.wire.protocol.AuthPluginName;
import org.tiproxy.wire.protocol.ErrorCode;

/**
 * Which plugins may pass as they are, given how the two legs of the session are encrypted.
 *
 * @param clientTls whether the client's leg is encrypted
 * @param backendTls whether the backend's leg is encrypted
 */
record AuthPolicy(boolean clientTls, boolean backendTls) {
    /** MySQL's, deprecated: the password over TLS or RSA, always. */
    static final String SHA256_PASSWORD = "sha256_password";
    /** The packet with which it asks for the key; caching_sha2_password has another one. */
    static final int SHA256_KEY_REQUEST = 1;

    private static final String TIDB_AUTH_TOKEN = "tidb_auth_token";

    /** Whether only one leg is encrypted. */
    boolean legsDiffer() {
        return clientTls != backendTls;
    }

    /** Whether the plugin's first message depends on encryption, so that it must not go to the other leg. */
    boolean mustStartAfresh(String plugin) {
        return legsDiffer() && plugin.equals(SHA256_PASSWORD);
    }

    /** The reason why a plugin cannot be used; null if it can. */
    @Nullable
    String refusal(String plugin) {
        if ((clientTls && backendTls) || !needsTls(plugin)) {
            return null;
        }
        String lacks = backendTls
                ? "the client's connection to the proxy has no TLS: use another plugin for the account, or TLS "
                        + "towards the proxy"
                : "the proxy's connection to the backend has no TLS: use another plugin for the account, or TLS "
                        + "towards the backend";
        return plugin + " sends the password, or what is as good, unencrypted, and " + lacks;
    }

    /** Refuses a plugin in the middle of an authentication. */
    void check(String plugin) {
        String refusal = refusal(plugin);
        if (refusal != null) {
            throw SessionFailure.told(
                    ErrorSource.PROXY,
                    EndReason.AUTHENTICATION_IMPOSSIBLE,
                    ErrorCode.ER_NOT_SUPPORTED_AUTH_MODE,
                    refusal);
        }
    }

    private static boolean needsTls(String plugin) {
        AuthPluginName known = AuthPluginName.of(plugin);
        return known == null
                ? plugin.equals(TIDB_AUTH_TOKEN)
                : AuthPlugin.of(known).requiresTls();
    }
}

package org.tiproxy.wire.auth;

import org.tiproxy.wire.Bytes;
import org.tiproxy.wire.protocol.AuthPluginName;

/**
 * tidb_session_token: the reply is a token that a TiDB server has issued for a session (SHOW SESSION_STATES), and that
 * another server of the same cluster checks. Only servers can verify it.
 */
public final class TidbSessionToken implements AuthPlugin {
    @Override
    public AuthPluginName name() {
        return AuthPluginName.TIDB_SESSION_TOKEN;
    }

    /** The token is short-lived, but whoever sees it can log in with it. */
    @Override
    public boolean requiresTls() {
        return true;
    }

    @Override
    public Bytes reply(Bytes token, Bytes scramble) {
        return token;
    }
}
